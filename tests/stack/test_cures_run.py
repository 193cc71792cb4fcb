"""Refusals whose cure is a line of Python: it is run as it stands, and what it writes is read."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile
from conftest import refusal

from custom.stack import open_stack

VOXELS = np.random.default_rng(0).integers(1, 1 << 16, (6, 12, 14), np.uint16)
KILLED = """
import os, sys, h5py, numpy as np
voxels = np.load("voxels.npy")
file = h5py.File("scan.h5", "w", libver="latest")
data = file.create_dataset("exchange/data", voxels.shape, "u2", chunks=(1, *voxels.shape[1:]), maxshape=(None, *voxels.shape[1:]))
file.swmr_mode = True
data[:] = voxels
data.flush()
os._exit(0)
"""


def run(code: str, folder: Path) -> None:
    subprocess.run([sys.executable, "-c", code], cwd=folder, check=True)


def same(path: Path) -> None:
    np.testing.assert_array_equal(open_stack(path).read(0, len(VOXELS)), VOXELS)


def test_a_file_whose_swmr_writer_was_ended(tmp_path: Path) -> None:
    np.save(tmp_path / "voxels.npy", VOXELS)
    run(KILLED, tmp_path)
    told = refusal(tmp_path / "scan.h5")
    assert "was not closed by the program that writes it" in told
    cure = re.search(r"import h5py; .*new\.close\(\)", told)
    assert cure
    run(cure[0], tmp_path)
    same(tmp_path / "whole.h5")


@pytest.mark.parametrize("asked", [0, 1])
def test_an_ome_tiff_in_files_of_several_slices(asked: int, tmp_path: Path) -> None:
    pixels = "".join(
        f'<TiffData FirstZ="{z}" IFD="{z % 3}" PlaneCount="1"><UUID FileName="part{z // 3}.ome.tif">urn:uuid:{z // 3}</UUID>'
        "</TiffData>"
        for z in range(6)
    )
    for part in (0, 1):
        xml = (
            '<?xml version="1.0" encoding="UTF-8"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" '
            f'UUID="urn:uuid:{part}"><Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint16" SizeX="14" '
            f'SizeY="12" SizeZ="6" SizeC="1" SizeT="1"><Channel ID="Channel:0:0" SamplesPerPixel="1"/>{pixels}</Pixels>'
            "</Image></OME>"
        )
        with tifffile.TiffWriter(tmp_path / f"part{part}.ome.tif") as writer:
            for number, plane in enumerate(VOXELS[3 * part : 3 * part + 3]):
                writer.write(plane, description=None if number else xml.encode(), metadata=None, contiguous=False)
    told = refusal(tmp_path / f"part{asked}.ome.tif")
    cure = re.search(r"write all as one file \((.*)\)", told)
    assert cure and "is one of several files" in told
    run(f"import tifffile; {cure[1]}", tmp_path)
    same(tmp_path / "whole.tif")

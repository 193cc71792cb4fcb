"""What was given is not the stack itself: the refusal says where it is, and that works."""

from __future__ import annotations

import logging
import re
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
import tifffile
import zarr
from conftest import refusal

from custom.stack import open_stack
from custom.stack.warn import warn_once

VOXELS = np.random.default_rng(0).integers(0, 60000, (5, 60, 70)).astype(np.uint16)


def same(path: Path) -> None:
    np.testing.assert_array_equal(open_stack(path).read(0, 5), VOXELS)


@pytest.mark.parametrize("code", ["%d", "%05d", "%03d_b"])
def test_a_family_of_hdf5_files(code: str, tmp_path: Path) -> None:
    family = tmp_path / f"scan_2026_{code}.h5"
    with h5py.File(family, "w", driver="family", memb_size=9000) as file:
        file["exchange/data"] = VOXELS
    parts = sorted(tmp_path.iterdir())
    assert len(parts) == 6  # the last one empty
    same(family)
    assert set(open_stack(family).files) == set(parts)
    for part in parts[:5]:
        assert refusal(part).endswith(f"is one part of an HDF5 family; give all of them as {family}.")
    parts[2].unlink()
    assert "truncated file" in refusal(family)
    assert "does not exist" in refusal(tmp_path / "gone_%d.h5")
    shutil.copy(parts[1], tmp_path / "damaged_1.h5")
    assert "cannot read" in refusal(tmp_path / "damaged_1.h5")


def tiffs(folder: Path) -> Path:
    folder.mkdir()
    for z, plane in enumerate(VOXELS):
        tifffile.imwrite(folder / f"s_{z}.tif", plane)
    return folder


def stack(folder: Path) -> Path:
    folder.mkdir()
    np.save(folder / "a.npy", VOXELS)
    return folder


@pytest.mark.parametrize(
    ("make", "told"),
    [(tiffs, "but 5 TIFF files; unpack it and give their folder."), (stack, "but in/a.npy; unpack it and give that.")],
)
def test_a_zip_of_something_else(make: Callable[[Path], Path], told: str, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "s.zip", "w") as archive:
        for file in make(tmp_path / "in").iterdir():
            archive.write(file, f"in/{file.name}")
            archive.writestr(f"__MACOSX/._{file.name}", b"")
    assert refusal(tmp_path / "s.zip").endswith(told)
    (tmp_path / "out").mkdir()
    with zipfile.ZipFile(tmp_path / "s.zip") as archive:
        archive.extractall(tmp_path / "out")
    same(tmp_path / "out/in" if make is tiffs else tmp_path / "out/in/a.npy")


def test_a_folder_around_the_stack(tmp_path: Path) -> None:
    zarr.save(tmp_path / "a.zarr", VOXELS)
    (tmp_path / ".hidden.npy").touch()
    found = re.search(r"holds no TIFF slices .*, but the stack a.zarr; give that, as (.*)\.$", refusal(tmp_path))
    assert found
    same(Path(found[1]))
    np.save(tmp_path / "b.npy", VOXELS)
    assert refusal(tmp_path).endswith("but the stacks a.zarr, b.npy; give one of them.")


@pytest.mark.parametrize("size", [np.nan, [np.nan] * 3, np.inf, -1e-4])
def test_a_voxel_size_that_is_none(size: object, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    warn_once.cache_clear()
    caplog.set_level(logging.WARNING, "stack")
    with h5py.File(tmp_path / "s.h5", "w") as file:
        file["exchange/data"], file["exchange/voxel_size_cm"] = VOXELS, size
    assert open_stack(tmp_path / "s.h5").voxel_size_um is None
    (told,) = caplog.messages
    assert re.search(
        r"/exchange/voxel_size_cm states the voxel size .*, which is none; give it as --voxel_size_um", told
    )

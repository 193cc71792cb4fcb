"""Every reader at 200 and 2,000 slices: `python tests/read_long_stacks.py` prints the peak of memory and the mask beside TIFF's.

The volume is cut out of a cell of the phantom, so that there is lithium to find. For each format it is written, read slab by
slab in a process of its own, whose peak is told beyond that of opening, and segmented by the shipped U-Net.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import scanner_files as files
import tifffile

ROOT = Path(__file__).resolve().parents[1]
SIDE = 192
SLAB = 16
READ = r"""
import re, sys
from pathlib import Path
import numpy as np
from custom.stack import open_stack
stack = open_stack(sys.argv[1])
total = 0
for z in range(0, stack.shape[0], int(sys.argv[2])):
    total += int(stack.read(z, min(z + int(sys.argv[2]), stack.shape[0])).astype(np.int64).sum())
peak = re.search(r"VmHWM:\s*(\d+)", Path("/proc/self/status").read_text())[1]  # ru_maxrss is the parent's too
print(total, peak)
"""


def tiff(path: Path, voxels: np.ndarray) -> Path:
    tifffile.imwrite(path.with_suffix(".tif"), voxels)
    return path.with_suffix(".tif")


def tiff_folder(path: Path, voxels: np.ndarray) -> Path:
    path.mkdir()
    for z, plane in enumerate(voxels):
        tifffile.imwrite(path / f"recon_{z:05d}.tif", plane)
    return path


def hdf5(name: str) -> files.Writer:
    def write(path: Path, voxels: np.ndarray) -> Path:
        import h5py
        import hdf5plugin

        with h5py.File(path.with_suffix(".h5"), "w") as file:
            chunks = (8, *voxels.shape[1:])
            file.create_dataset("exchange/data", data=voxels, chunks=chunks, compression=getattr(hdf5plugin, name)())
        return path.with_suffix(".h5")

    return write


# name -> (what writes it, the type it is written in)
WRITERS: dict[str, tuple[files.Writer, str]] = {
    "TIFF": (tiff, "uint16"),
    "folder of TIFF": (tiff_folder, "uint16"),
    **{f"HDF5, {name}": (hdf5(name), "uint16") for name in ("Bitshuffle", "LZ4", "Blosc", "Zstd")},
    "EDF, frames": (files.edf_frames, "uint16"),
    "EDF, folder": (files.edf_folder, "uint16"),
    "EDF, one volume": (files.edf_volume, "uint16"),
    "MRC": (files.mrc(), "uint16"),
    "Zeiss .txm": (files.zeiss(), "uint16"),
    "PNG": (files.pictures(".png"), "uint16"),
    "JPEG 2000": (files.pictures(".jp2"), "uint16"),
    "BMP": (files.pictures(".bmp"), "uint8"),
    "DICOM": (files.dicom(), "uint16"),
    "ESRF .vol, .info": (files.esrf_info, "float32"),
    "ESRF .vol, .xml": (files.esrf_xml, "float32"),
    "VGI": (files.vgi(".vgi"), "uint16"),
    "GE .pcr": (files.pcr(".pcr"), "uint16"),
    "raw by its name": (files.named_raw, "uint16"),
    "raw with .json": (files.raw_with_json, "uint16"),
    "Amira": (files.amira(), "uint16"),
    "Amira, HxZip": (files.amira("HxZip"), "uint16"),
    "Amira, HxByteRLE": (files.amira("HxByteRLE"), "uint8"),
}


def volume(depth: int) -> np.ndarray:
    """(depth, SIDE, SIDE), uint16, a cell of the phantom over and over."""
    cell = tifffile.imread(ROOT / "bundle/selftest/slice.tif")
    cell = np.atleast_3d(cell).reshape(-1, *cell.shape[-2:])[0]
    rng = np.random.default_rng(0)
    tiled = np.tile(cell, (2, 2))[:SIDE, :SIDE].astype(np.float64)
    noise = rng.normal(0, 0.01 * np.ptp(tiled), (64, SIDE, SIDE))
    one = np.stack([np.roll(tiled, 5 * z, axis=1) for z in range(64)]) + noise
    return np.resize(one.clip(0, 65535), (depth, SIDE, SIDE)).astype(np.uint16)


def read(path: Path) -> tuple[int, float]:
    """The sum of all values, and the peak of the process's memory in MB."""
    ended = subprocess.run(
        [sys.executable, "-c", READ, str(path), str(SLAB)], cwd=ROOT, check=True, capture_output=True, text=True
    )
    total, peak = map(int, ended.stdout.split())
    return total, peak / 1024


def mask(path: Path, output: Path) -> np.ndarray:
    """By the shipped U-Net, with README's command."""
    words = ["run", "--config_file", "['bundle/configs/inference.json','bundle/configs/network_unet.json']"]
    words += ["--stack", str(path), "--output_dir", str(output), "--output_format", "tiff"]
    command = [sys.executable, "-m", "monai.bundle", *words]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    found: np.ndarray = tifffile.imread(output / "mask.tif")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--formats", nargs="+", choices=WRITERS, default=list(WRITERS))
    parser.add_argument("--depths", nargs=2, type=int, default=(200, 2000))
    given = parser.parse_args()
    voxels = volume(max(given.depths))
    masks: dict[str, np.ndarray] = {}
    print("| format | peak at 200 slices, MB | at 2,000, MB | voxels of the mask that differ from TIFF's |")
    print("| --- | --- | --- | --- |")
    for name in given.formats:
        write, dtype = WRITERS[name]
        stored = (voxels >> 8).astype(dtype) if dtype == "uint8" else voxels.astype(dtype)
        peaks = []
        with tempfile.TemporaryDirectory() as folder:
            for depth in given.depths:
                place = Path(folder, str(depth))
                place.mkdir()
                path = write(place / "cell", stored[:depth])
                total, peak = read(path)
                assert total == int(stored[:depth].astype(np.int64).sum()), f"{name}: other values"
                peaks.append(peak)
            if dtype not in masks:
                masks[dtype] = mask(tiff(Path(folder, "wanted"), stored[:SLAB]), Path(folder, "wanted_mask"))
            short = write(Path(folder, "short"), stored[:SLAB])
            differing = int((mask(short, Path(folder, "short_mask")) != masks[dtype]).sum())
        print(f"| {name} | {peaks[0]:.0f} | {peaks[1]:.0f} | {differing} of {int(masks[dtype].sum())} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

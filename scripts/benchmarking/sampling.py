"""Voxels per second of a region's sampling, beside OpenCV, scipy, and a copy of the same slices."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import product
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial.transform import Rotation

from benchmarking.measuring import alternate, machine, working
from custom.phantom import make_cell
from custom.rectifying import Rectifying
from custom.region import Corners, Region, quads_of, write_region
from custom.region.matching import matched
from custom.region.plan import plan_field
from custom.region.sampling import Sampler
from custom.running import OutputFolder
from custom.stack import Stack, open_stack
from custom.stack.writers import open_writer
from custom.stack.writers.encoder import Layout
from custom.stack.writers.shared import LAYER, SharedZarr

WHAT = {
    "opencv": "(1) OpenCV's warpPerspective, a slice at a time",
    "slices": "(2) a region within slices",
    "scipy": "(3) scipy.ndimage.affine_transform of order 1, which takes one core",
    "tilted": "(4) a region that is tilted",
    "cubic": "(5) the same by --order cubic",
    "copy": "(6) the raw slices of (4) read from disk, as many voxels as it has written there, none sampled",
    "region": "(7) (4) from disk to disk, by region.json",
}
BESIDE = {"slices": "opencv", "tilted": "scipy", "cubic": "tilted", "region": "copy"}
WITHIN = ("opencv", "slices")  # rows whose region has a slice for each raw one
TILT_DEG = (0.5, 2.0, -1.0)  # about z, y and x: the first axis is x to scipy
FILL = 100.0

Shape = tuple[int, int, int]


def region_shape(slices: int, size: tuple[int, int]) -> Shape:
    """Flat, as a cell is: a quarter of the raw height, four fifths of the width."""
    return slices, size[0] // 4, size[1] * 4 // 5


def tilted_corners(shape: Shape, size: tuple[int, int]) -> tuple[Corners, int]:
    """Of a box of this shape that is turned about all axes in the middle of raw slices, and how many of these it needs."""
    turn = Rotation.from_euler("xyz", TILT_DEG, degrees=True).as_matrix()
    corners = np.empty((2, 2, 2, 3))
    for place in product(range(2), repeat=3):
        corners[place] = turn @ ((np.array(place) - 0.5) * (np.array(shape) - 1))
    depth = int(np.ceil(np.ptp(corners[..., 0]))) + 5
    return quads_of(corners + ((depth - 1) / 2, size[0] / 2, size[1] / 2)), depth


def slice_corners(shape: Shape, size: tuple[int, int]) -> Corners:
    """Of a quadrangle that a perspective makes a rectangle of, the same in all slices."""
    top, left = (size[0] - shape[1]) / 2, (size[1] - shape[2]) / 2
    bottom, right = top + shape[1] - 1, left + shape[2] - 1
    return Corners(((top, left + 3), (top + 4, right), (bottom + 2, right - 5), (bottom - 3, left)))


def written_raw(path: Path, depth: int, size: tuple[int, int]) -> None:
    """A raw stack on disk, uint16: a phantom's slices, mirrored until they fill it."""
    cell = make_cell(seed=7, slices=16).image.astype(np.uint16)
    pads = [(0, max(0, wanted - there)) for wanted, there in zip(size, cell.shape[1:], strict=True)]
    filled = np.pad(cell, [(0, 0), *pads], mode="symmetric")[:, : size[0], : size[1]]
    with open_writer(path, "tiff", (depth, *size), filled.dtype, None) as writer:
        for start in range(0, depth, len(filled)):
            writer.write(start, np.ascontiguousarray(filled[: min(len(filled), depth - start)]))


def row(name: str, folder: str, slices: int, threads: int) -> Callable[[], object]:
    """What a row of `WHAT` does."""
    raw = open_stack(Path(folder) / "raw.tif")
    size = (raw.shape[1], raw.shape[2])
    shape = region_shape(raw.shape[0] if name in WITHIN else slices, size)
    corners = slice_corners(shape, size) if name in WITHIN else tilted_corners(shape, size)[0]
    region, stacks = matched(Region(corners, shape, fill=FILL), [raw])
    if name in ("copy", "region"):
        return _on_disk(name, Path(folder), region, raw, threads)
    cv2.setNumThreads(threads)
    held = raw.read(0, raw.shape[0]) if name in ("opencv", "scipy") else np.empty(0)
    out = np.empty(shape, np.uint16)
    matrix = region.map().matrix
    if name == "opencv":
        return lambda: _by_opencv(held, matrix, out)
    if name == "scipy":
        return lambda: ndimage.affine_transform(held, matrix[:3, :3], matrix[:3, 3], output=out, order=1, cval=FILL)
    sampler = Sampler(region, stacks, "cubic" if name == "cubic" else "linear", shape[0], threads)
    sampler.hold(0, shape[0])
    return lambda: sampler.fill_in(0, out)


def _by_opencv(held: NDArray[Any], matrix: NDArray[Any], out: NDArray[Any]) -> None:
    homography = matrix[np.ix_([2, 1, 3], [2, 1, 3])]
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    for plane, into in zip(held, out, strict=True):
        cv2.warpPerspective(plane, homography, into.shape[::-1], dst=into, flags=flags, borderMode=cv2.BORDER_REPLICATE)


def _on_disk(name: str, folder: Path, region: Region, raw: Stack, threads: int) -> Callable[[], object]:
    out = folder / name
    write_region(folder / f"{name}.json", region)

    def sampled() -> None:
        shutil.rmtree(out, ignore_errors=True)
        Rectifying([raw], folder / f"{name}.json", OutputFolder(out), threads=threads).run()

    def copied() -> None:
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
        _copied(region, raw, out)

    return sampled if name == "region" else copied


def _copied(region: Region, raw: Stack, out: Path) -> None:
    """Read in order what the region's slabs need, and write what lies in the middle of it, while the next one is read."""
    assert region.shape is not None
    plan = plan_field(region, 0)
    shared = SharedZarr(out, Layout("copy", region.shape, raw.dtype, None))
    shared.create(out / "done.zarr")
    end = 0
    with ThreadPoolExecutor(1) as writer:
        for unit in shared.units():
            writing: Future[None] | None = None
            for start in range(shared.begin(unit), unit.stop, LAYER):
                stop = min(start + LAYER, unit.stop)
                high = plan.range(start, stop)[1]
                new = raw.read(min(end, high - (stop - start)), high)[start - stop :]
                end = high
                slab = np.ascontiguousarray(new[:, : region.shape[1], : region.shape[2]])
                if writing is not None:
                    writing.result()
                writing = writer.submit(shared.write, start, slab)
            if writing is not None:
                writing.result()
    shared.publish(out / "done.zarr")


def measure(threads: int | None, slices: int, size: tuple[int, int], repeats: int) -> dict[str, Any]:
    """Time all rows on the same raw slices, taking turns; see `WHAT` for the rows.

    Args:
        slices: of the region.
        size: (Y, X) of raw slices.
    """
    device = torch.device("cpu")
    given = threads or torch.get_num_threads()
    shape = region_shape(slices, size)
    depth = tilted_corners(shape, size)[1]
    voxels = {name: np.prod(region_shape(depth if name in WITHIN else slices, size)).item() for name in WHAT}
    with tempfile.TemporaryDirectory() as folder:
        written_raw(Path(folder) / "raw", depth, size)
        with working({name: (row, (name, folder, slices, given)) for name in WHAT}, device, given) as workers:
            seconds = alternate(workers, repeats)
    return {
        **machine(device, given),
        "opencv": cv2.__version__,
        "raw": (depth, *size),
        "region": shape,
        "repeats": repeats,
        "rows": [
            {
                "row": WHAT[name],
                "seconds": taken,
                "Mvoxel/s": voxels[name] / taken / 1e6,
                "x the row above": seconds[BESIDE[name]] / taken if name in BESIDE else None,
            }
            for name, taken in seconds.items()
        ],
    }

"""What is measured of each piece: numbers that add up over the slabs that it lies in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np

from custom.pieces.counted import count, count_near
from custom.pieces.directions import REACH, directions
from custom.pieces.labelled import Labelled

_PAIRS = tuple(combinations_with_replacement(range(3), 2))  # zz, zy, zx, yy, yx, xx
Table = dict[str, np.ndarray]


def measure_slab(
    padded: np.ndarray,
    labelled: Labelled,
    start: int,
    voxel_size: tuple[float, float, float],
    distances: np.ndarray | None = None,
    values: np.ndarray | None = None,
    classes: int = 0,
) -> Table:
    """A row for each piece of a slab, by columns.

    Args:
        padded: bool (h + 2 `REACH`, Y + 2 `REACH`, X + 2 `REACH`), the mask with what lies around the slab; beyond the sides of the
            stack it goes on as it ends.
        labelled: its pieces; some may lie in the slice behind it alone.
        start: its first slice.
        voxel_size: (z, y, x), or three times 1 where it is unknown.
        distances: float32 (2, h or more, Y, X), of each voxel from two surfaces; None: there are none.
        values: uint8 (h, Y, X), the class of each voxel; None: `classes` is 0.
        classes: how many of them are counted.

    Returns:
        ``voxels`` int64 (n,), ``sum`` int64 (n, 3) of their places z, y, x, ``products`` int64 (n, 6) of the places' products,
        ``low`` and ``high`` int32 (n, 3), first and last place, ``area`` float64 (n,), of the surface in squares of the voxel
        size's unit, see `directions`: what lies at the side of the stack is none; ``near`` float32 (n, 2), the least of the
        distances, infinite without; ``classes`` int64 (n, classes), voxels of the values 1, 2, ...
    """
    along, areas = directions(voxel_size)
    pieces, shape = labelled.pieces, tuple(length - 2 * REACH for length in padded.shape)
    steps = along @ np.array([padded.shape[1] * padded.shape[2], padded.shape[2], 1])
    found: Table = {"sum": np.zeros((pieces, 3), np.int64), "products": np.zeros((pieces, len(_PAIRS)), np.int64)}
    found |= {name: np.full((pieces, 3), _HOW[name][1], np.int32) for name in ("low", "high")}
    exits, of_classes = np.zeros((pieces, len(steps)), np.int64), np.zeros((pieces, classes), np.int64)
    runs = (labelled.runs.rows, labelled.runs.ends, labelled.numbers, shape)
    values = np.zeros((0, 0, 0), np.uint8) if values is None else values
    count(*runs, padded, start, REACH, steps, values, *found.values(), exits, of_classes)
    return {**count_slab(labelled, shape[0], distances), **found, "area": exits @ areas, "classes": of_classes}


def count_slab(labelled: Labelled, height: int, distances: np.ndarray | None) -> Table:
    """Of `measure_slab` the columns ``voxels`` and ``near`` alone, of a slab of `height` slices."""
    voxels, near = np.zeros(labelled.pieces, np.int64), np.full((labelled.pieces, 2), _HOW["near"][1], np.float32)
    distances = np.zeros((0, 0, 0, 0), np.float32) if distances is None else distances
    shape = (height, *labelled.runs.shape[1:])
    count_near(labelled.runs.rows, labelled.runs.ends, labelled.numbers, shape, distances, voxels, near)
    return {"voxels": voxels, "near": near}


def merged(name: str, columns: Sequence[np.ndarray], numbers: np.ndarray, pieces: int) -> np.ndarray:
    """A column of the stack's pieces, from those of its slabs.

    Args:
        name: of the column, which says how it is put together.
        columns: of all slabs, in their order.
        numbers: int (rows,), which piece of the stack each row belongs to.
        pieces: how many the stack has.
    """
    rows = np.concatenate(columns)
    how, empty = _HOW.get(name, (np.add, 0))
    found = np.full((pieces, *rows.shape[1:]), empty, rows.dtype)
    how.at(found, numbers, rows)
    return found


# how columns are put together that do not add up, and what an empty one holds
_HOW = {
    "low": (np.minimum, np.iinfo(np.int32).max),
    "high": (np.maximum, np.iinfo(np.int32).min),
    "near": (np.minimum, np.inf),
}


@dataclass(frozen=True)
class Shapes:
    """What follows from the sums of each piece, in the voxel size's unit.

    Attributes:
        volume: (n,).
        centre: (n, 3), mean place (z, y, x) of the voxels' middles; the stack begins at 0.
        axes: (n, 3), lengths of the principal axes, the longest first: 4 standard deviations along them, which for an
            ellipsoid are its axes times sqrt(4 / 5), as scikit-image's `axis_major_length` has them in 2-D.
        directions: (n, 3, 3), a unit vector (z, y, x) for each of them, whose largest part is positive.
    """

    volume: np.ndarray
    centre: np.ndarray
    axes: np.ndarray
    directions: np.ndarray


def shapes(table: Mapping[str, np.ndarray], voxel_size: tuple[float, float, float]) -> Shapes:
    """Volumes, centres and principal axes of pieces, each with at least one voxel."""
    size, voxels = np.array(voxel_size), table["voxels"]
    low, sums = table["low"].astype(np.int64), table["sum"]
    within = sums - low * voxels[:, None]  # places in the piece's box: of one far from the origin little would be left
    spread = np.empty((len(voxels), 3, 3))
    for column, (i, j) in enumerate(_PAIRS):
        product = table["products"][:, column] - low[:, i] * sums[:, j] - low[:, j] * within[:, i]
        spread[:, i, j] = product / voxels - (within[:, i] / voxels) * (within[:, j] / voxels)
        spread[:, j, i] = spread[:, i, j] = spread[:, i, j] * size[i] * size[j]
    spread += np.diag(size**2 / 12)  # of a voxel itself
    values, vectors = np.linalg.eigh(spread)
    along = vectors[:, :, ::-1].transpose(0, 2, 1)
    largest = np.take_along_axis(along, np.abs(along).argmax(axis=2)[..., None], axis=2)
    centre = (table["sum"] / voxels[:, None] + 0.5) * size
    return Shapes(voxels * np.prod(size), centre, 4 * np.sqrt(values[:, ::-1]), along * np.sign(largest))

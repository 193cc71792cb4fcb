"""Agglomerates of a scan laid on the grid of the first scan, some slices at a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from custom.series.move import Move, Shape
from custom.stack import Stack


@dataclass(frozen=True)
class Laid:
    """Slices of the first scan's grid.

    Attributes:
        numbers: (h, Y, X) of the scan's agglomerates, 0 is none.
        seen: bool, whether the scan has that place.
    """

    numbers: np.ndarray
    seen: np.ndarray


def laid(stack: Stack, move: Move, size: np.ndarray, shape: Shape, start: int, stop: int) -> Laid:
    """The nearest voxel's agglomerate, at each voxel of the slices start, ..., stop - 1 of the first scan's grid.

    Nearest voxels keep volumes on average: an agglomerate has as many voxels as before, but for those at its surface, half of
    which are won and half lost. No more of the scan is read than these slices need.

    Args:
        stack: numbers of the agglomerates of a scan.
        move: from the first scan to it.
        size: (3,) of a voxel.
        shape: (Z, Y, X) of the first scan.
    """
    matrix, offset = move.voxels(size)
    y, x = np.arange(shape[1])[:, None], np.arange(shape[2])
    numbers = np.zeros((stop - start, *shape[1:]), stack.dtype)
    seen = np.zeros(numbers.shape, bool)
    ends = np.array([[z, v, u] for z in (start, stop - 1) for v in (0, shape[1] - 1) for u in (0, shape[2] - 1)])
    along = ends @ matrix[0] + offset[0]
    low, high = max(int(np.floor(along.min())), 0), min(int(np.ceil(along.max())) + 1, stack.shape[0])
    if low >= high:
        return Laid(numbers, seen)
    part = stack.read(low, high)
    for n, z in enumerate(range(start, stop)):
        at = [
            np.rint(row[0] * z + row[1] * y + row[2] * x + o).astype(np.int32)
            for row, o in zip(matrix, offset, strict=True)
        ]
        inside = np.logical_and.reduce(
            [(place >= 0) & (place < length) for place, length in zip(at, stack.shape, strict=True)]
        )
        seen[n] = inside
        numbers[n][inside] = part[at[0][inside] - low, at[1][inside], at[2][inside]]
    return Laid(numbers, seen)

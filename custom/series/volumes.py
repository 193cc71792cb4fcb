"""How much of a scan's lithium lies where the first scan and its neighbour in the series see too."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from custom.series.move import Move, Shape
from custom.series.step import Laying
from custom.stack import slabs


def volumes_in_view(scan: Laying, others: Sequence[Laying], first: Shape, size: np.ndarray, height: int) -> int:
    """Voxels of the scan's own that are lithium and that the first scan and the others see.

    Counted in the scan itself: laid on another grid, a scan has some more or some less, by up to a hundredth.

    Args:
        others: scans of the series that have to see them.
        first: (Z, Y, X) of the first scan.
        size: (3,) of a voxel.
        height: slices that are read at once.
    """
    found = 0
    for part in slabs(scan.numbers, height):
        places = (np.argwhere(part.read()) + [part.start, 0, 0]) * size
        of_first = back(scan.move, places)
        seen = _within(of_first / size, first)
        for other in others:
            seen &= _within(other.move(of_first) / size, other.numbers.shape)
        found += int(np.count_nonzero(seen))
    return found


def back(move: Move, places: np.ndarray) -> np.ndarray:
    """Where places (n, 3) of a scan lie in the first one."""
    return np.asarray((places - move.centre - move.shift) @ move.turn + move.centre)


def _within(voxels: np.ndarray, shape: Shape) -> np.ndarray:
    return np.asarray(((voxels >= -0.5) & (voxels <= np.array(shape) - 0.5)).all(axis=1))

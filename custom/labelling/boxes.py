"""Where in a slice to label, if not all of it: squares that are spread over the slices, within the reconstruction."""

from __future__ import annotations

import numpy as np
from scipy.stats import qmc

_TRIES = 32  # places that are looked at for one half of which is material


def boxes(planes: list[tuple[int, int]], outside: list[np.ndarray | None], size: int) -> list[tuple[slice, slice]]:
    """A square for each slice, by a Halton sequence, so that those of some slices lie apart.

    Args:
        planes: the shapes (Y, X) of the slices.
        outside: bool (Y, X) of each, where there is no reconstruction; None: nowhere.
        size: edge of the square in voxels; a shorter side of a slice is taken whole.

    Returns:
        The slices of y and of x of each square.
    """
    points = qmc.Halton(2, scramble=False).random(1 + _TRIES * len(planes))[1:]
    found, at = [], 0
    for shape, gone in zip(planes, outside, strict=True):
        tried = [_box(shape, size, point) for point in points[at : at + _TRIES]]
        shares = [0.0 if gone is None else float(gone[box].mean()) for box in tried]
        taken = next((i for i, share in enumerate(shares) if share <= 0.5), int(np.argmin(shares)))
        found.append(tried[taken])
        at += taken + 1
    return found


def _box(shape: tuple[int, int], size: int, point: np.ndarray) -> tuple[slice, slice]:
    y, x = (int(share * (max(0, n - size) + 1)) for share, n in zip(point, shape, strict=True))
    return slice(y, y + size), slice(x, x + size)

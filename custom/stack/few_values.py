"""A surround of a few neighbouring whole numbers, as a lossy compression or a filter leaves it of one."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from custom.stack.grown import Mask, solid_at_border

_MOST_VALUES, _NEARLY = 5, 0.02  # of a surround that is nearly one value; the share of the grey values that they span
ALIKE = 0.98  # share in which an outline has to agree with a disc or a rectangle


def nearly_constant(plane: np.ndarray) -> list[float]:
    """The few whole numbers around a disc that reaches the borders of a slice, darker or brighter than nearly all in it."""
    if plane.dtype.kind not in "iu":
        return []
    corners = np.concatenate([plane[y, x].ravel() for y, x in _corners(max(min(plane.shape) // 16, 2))])
    least, most = int(corners.min()), int(corners.max())
    low, high = np.percentile(plane[::4, ::4], (1, 99))
    if not 0 < most - least < _MOST_VALUES or most - least > _NEARLY * (high - low):
        return []
    region = solid_at_border((plane >= least) & (plane <= most))
    inside = ~region
    rest = plane[~ndimage.binary_dilation(region, iterations=4)]
    beyond = rest.size and (most < np.percentile(rest, 1) or least > np.percentile(rest, 99))
    spans = min(inside.any(axis=0).mean(), inside.any(axis=1).mean()) >= ALIKE
    found = bool(beyond) and bool(spans) and region.mean() > 0.1 and is_disc_or_rectangle(inside)
    return [float(value) for value in range(least, most + 1)] if found else []


def _corners(side: int) -> list[tuple[slice, slice]]:
    ends = slice(None, side), slice(-side, None)
    return [(y, x) for y in ends for x in ends]


def is_disc_or_rectangle(inside: Mask) -> bool:
    y, x = (np.flatnonzero(inside.any(axis=axis)) for axis in (1, 0))
    if not y.size:
        return False
    box = inside[y[0] : y[-1] + 1, x[0] : x[-1] + 1]
    half = (np.array(box.shape) - 1) / 2
    grid = [(np.arange(n) - middle) / (middle + 0.5) for n, middle in zip(box.shape, half, strict=True)]
    disc = grid[0][:, None] ** 2 + grid[1] ** 2 <= 1
    return max(box.mean(), (box == disc).mean() if box.size > 64 else 0.0) >= ALIKE

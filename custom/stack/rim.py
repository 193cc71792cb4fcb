"""The rim between what lies outside a reconstruction and the material, where a filter has mixed both."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from custom.stack.grown import Mask, dilated

_WIDEST = 8  # voxels; a Gaussian of 2 voxels reaches so far
_MIXED = 0.5  # share of the way from the fill to the material by which a voxel at a sharp edge is beyond
_TAILS = (0.5, 99.5)  # percentiles of the material, beyond which a voxel beside the outside belongs to the rim


def with_rim(plane: np.ndarray, region: Mask, surround: Sequence[float]) -> Mask:
    """The outside of a slice, with the rim that smoothing has left between the constant and the material.

    A sharp edge has none, and that is seen at once: the voxels along it are material. Along a smoothed one they are still
    nearly the constant; then all counts to the outside, within `_WIDEST` voxels, that is darker, or brighter, than the
    material deep inside.

    Args:
        plane: (Y, X) grey values.
        region: what is constant outside, bool (Y, X).
        surround: the constants.
    """
    edge = dilated(region) & ~region
    finite = [value for value in surround if not np.isnan(value)]
    if not finite or not edge.any():
        return region
    step = max(min(plane.shape) // 64, 1)
    thin = (slice(None, None, step), slice(None, None, step))
    material = plane[thin][~region[thin]].astype(np.float64)
    material = material[np.isfinite(material)]
    if not material.size:
        return region
    middle = float(np.median(material))
    beside = plane[edge].astype(np.float64)
    beside = beside[np.isfinite(beside)]
    if not beside.size:
        return region
    typical = float(np.median(beside))
    fill = min(finite, key=lambda value: abs(value - typical))
    if not np.median(np.abs(beside - fill)) < _MIXED * abs(middle - fill):
        return region
    wide = region
    for _ in range(_WIDEST):
        wide = dilated(wide)
    inner = (slice(_WIDEST, -_WIDEST),) * 2  # at the border the constant may be too thin to be seen
    deep = plane[inner][~wide[inner]].astype(np.float64)
    deep = deep[np.isfinite(deep)]
    if not deep.size:
        return region
    low, high = np.percentile(deep, _TAILS)
    if low <= fill <= high:
        return region
    mixed = (plane < low) | (plane > high)  # both: a cubic spline swings over
    start = region.copy()
    for end in (0, -1):  # where a circle meets the border its surround is too thin to be constant
        start[end] |= mixed[end]
        start[:, end] |= mixed[:, end]
    found: Mask = ndimage.binary_dilation(start, np.ones((3, 3), bool), _WIDEST, region | mixed)
    return found

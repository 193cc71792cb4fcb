"""Local thickness of lithium: of each voxel, the diameter of the largest ball within the lithium that holds it."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from custom.measuring.balls import cover, largest, radii, surrounded
from custom.measuring.cell_slab import Lengths
from custom.pieces.bridging import neighbours

_BEYOND = 0.4  # voxels, see below


def local_thickness(lithium: np.ndarray, voxel_size: Lengths) -> np.ndarray:
    """By T. Hildebrand and P. Ruegsegger, J. Microsc. 185:67 (1997); beyond the sides of the stack lithium goes on.

    A ball lies around a voxel's middle or halfway to that of one of its 26 neighbours, and reaches to the middle of the
    nearest voxel outside, less `_BEYOND` of a voxel in its diameter. That voxel's middle lies half a voxel beyond a plate
    along the sides of voxels, and none beyond most balls. So such plates are told .6 voxels too thick, tilted ones and rods
    by -.8 to +.8, balls .1 to .9 too thin. Around voxels' middles alone balls would be 1.5 to 2.5 too thin, and the outermost
    voxels on one side of a body would lie in small balls only.

    Args:
        lithium: bool (Z, Y, X).
        voxel_size: (z, y, x), in whose unit the result is.

    Returns:
        float32 (Z, Y, X), 0 outside the lithium; infinite where nothing but lithium is there.
    """
    if lithium.all():
        return np.full(lithium.shape, np.inf, np.float32)
    if not lithium.any():
        return np.zeros(lithium.shape, np.float32)
    size = np.array(voxel_size, np.float32)
    # asked for distances too, scipy takes another 24 bytes a voxel
    nearest = ndimage.distance_transform_edt(lithium, voxel_size, return_distances=False, return_indices=True)
    order, radius = np.flatnonzero(lithium), np.zeros(lithium.shape, np.float32)
    radii(nearest, order, size, radius)
    steps = neighbours(26)
    away = np.linalg.norm(steps * size, axis=1).astype(np.float32)
    order = order[~surrounded(radius, order, steps, away)]
    middles, reach = largest(nearest, order, size)
    del nearest, radius
    order = np.argsort(-reach, kind="stable")
    thickness = np.zeros(lithium.shape, np.float32)
    cover(lithium, middles[order], reach[order], size, thickness)
    least = size.min()
    thickness *= 2
    thickness -= np.float32(_BEYOND) * least
    np.maximum(thickness, least, out=thickness)
    thickness[~lithium] = 0
    return thickness

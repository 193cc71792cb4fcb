"""Local thickness of lithium: of each voxel, the diameter of the largest ball within the lithium that holds it."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from custom.base.compiling import compiled
from custom.measuring.cell_slab import Lengths
from custom.pieces.bridging import neighbours


def local_thickness(lithium: np.ndarray, voxel_size: Lengths) -> np.ndarray:
    """By T. Hildebrand and P. Ruegsegger, J. Microsc. 185:67 (1997); beyond the sides of the stack lithium goes on.

    A ball reaches from the middle of a voxel to that of the nearest voxel outside, less half a voxel.

    Args:
        lithium: bool (Z, Y, X).
        voxel_size: (z, y, x), in whose unit the result is.

    Returns:
        float32 (Z, Y, X), 0 outside the lithium; infinite where nothing but lithium is there.
    """
    if lithium.all():
        return np.full(lithium.shape, np.inf, np.float32)
    radius = ndimage.distance_transform_edt(lithium, voxel_size).astype(np.float32)
    order = np.flatnonzero(lithium)
    order = order[np.argsort(-radius.reshape(-1)[order], kind="stable")]
    covered = np.zeros(lithium.shape, np.float32)
    steps = neighbours(26)
    away = np.linalg.norm(steps * np.array(voxel_size), axis=1).astype(np.float32)
    _cover(radius, order, steps, away, np.array(voxel_size, np.float32), covered)
    # a plate of an even number of voxels has no voxel in its middle: half a voxel is lost on either side
    return np.asarray(np.where(lithium, np.maximum(2 * covered - np.float32(min(voxel_size)), min(voxel_size)), 0))


@compiled
def _cover(radius, order, steps, away, size, covered):  # type: ignore[no-untyped-def]
    depth, rows, columns = radius.shape
    plane = rows * columns
    for voxel in order:
        z, y, x = voxel // plane, voxel % plane // columns, voxel % columns
        ball = radius[z, y, x]
        inner = False  # within the ball around a neighbour, which came before
        for k in range(len(steps)):
            at_z, at_y, at_x = z + steps[k, 0], y + steps[k, 1], x + steps[k, 2]
            if 0 <= at_z < depth and 0 <= at_y < rows and 0 <= at_x < columns:
                inner = inner or radius[at_z, at_y, at_x] >= ball + away[k]
        if inner:
            continue
        reach_z, reach_y, reach_x = int(ball / size[0]), int(ball / size[1]), int(ball / size[2])
        for at_z in range(max(z - reach_z, 0), min(z + reach_z + 1, depth)):
            by_z = (at_z - z) * size[0]
            for at_y in range(max(y - reach_y, 0), min(y + reach_y + 1, rows)):
                by_y = (at_y - y) * size[1]
                for at_x in range(max(x - reach_x, 0), min(x + reach_x + 1, columns)):
                    by_x = (at_x - x) * size[2]
                    if covered[at_z, at_y, at_x] == 0 and by_z * by_z + by_y * by_y + by_x * by_x < ball * ball:
                        covered[at_z, at_y, at_x] = ball

"""Where two sets of voxels can come nearer to each other than some distance, told by boxes of voxels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.ndimage import distance_transform_edt

from custom.base.compiling import compiled

EDGE = 8  # voxels of a box along each axis


class Boxes:
    """Boxes of `EDGE` voxels that fill some slices of a stack.

    Args:
        first, end: the slices.
        plane: (Y, X), voxels of each.
        size: (3,) of a voxel.
    """

    def __init__(self, first: int, end: int, plane: Sequence[int], size: np.ndarray) -> None:
        self.first, self.size = first, size
        self.shape = tuple(-(-length // EDGE) for length in (end - first, *plane))

    def of(self, points: np.ndarray) -> tuple[np.ndarray, ...]:
        """In which of them corners of voxels (n, 3) lie, in the unit of the size: three indices (n,)."""
        places = np.round(points / self.size).astype(int) - [self.first, 0, 0]
        return tuple(np.minimum(places // EDGE, np.array(self.shape) - 1).T)

    def held(self, points: np.ndarray, start: int, mask: np.ndarray) -> np.ndarray:
        """Which hold some of the corners, or voxels of a mask (h, Y, X) that begins at slice `start`: bool."""
        found = np.zeros(self.shape, bool)
        found[self.of(points)] = True
        mark(mask, start - self.first, EDGE, found)
        return found

    def near(self, held: np.ndarray, distance: float) -> np.ndarray:
        """Which can have something nearer than a distance to something in those that are `held`: bool."""
        if not held.any():
            return np.zeros(self.shape, bool)
        sides = EDGE * self.size
        # each may lie half a diagonal from the middle of its box
        return np.asarray(distance_transform_edt(~held, sides) <= distance + np.linalg.norm(sides))


@compiled
def mark(mask, skipped, edge, boxes):  # type: ignore[no-untyped-def]
    """Mark the boxes that a mask (h, Y, X), `skipped` slices behind the first of them, has voxels in."""
    for z in range(mask.shape[0]):
        for y in range(mask.shape[1]):
            for x in range(mask.shape[2]):
                if mask[z, y, x]:
                    boxes[(z + skipped) // edge, y // edge, x // edge] = True


@compiled
def at_the_side(mask, skipped, edge, boxes, last):  # type: ignore[no-untyped-def]
    """Flat places, int64, of voxels with one of six neighbours outside the mask, in a marked box or from slice `last` on.

    At the side of the mask (h, Y, X) a voxel counts as one, for what lies behind is not known.
    """
    depth, rows, columns = mask.shape
    found = np.empty(1024, np.int64)
    count = 0
    for z in range(depth):
        for y in range(rows):
            for x in range(columns):
                if not mask[z, y, x] or not (z >= last or boxes[(z + skipped) // edge, y // edge, x // edge]):
                    continue
                within = 0 < z < depth - 1 and 0 < y < rows - 1 and 0 < x < columns - 1
                within = within and mask[z - 1, y, x] and mask[z + 1, y, x] and mask[z, y - 1, x] and mask[z, y + 1, x]
                if within and mask[z, y, x - 1] and mask[z, y, x + 1]:
                    continue
                if count == len(found):
                    more = np.empty(2 * count, np.int64)
                    more[:count] = found
                    found = more
                found[count] = (z * rows + y) * columns + x
                count += 1
    return found[:count].copy()

"""The smallest gap between two sets of voxels, slab by slab."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.spatial import KDTree

from custom.pieces.boxes import EDGE, Boxes, at_the_side

Point = tuple[float, float, float]
Corners = tuple[np.ndarray, np.ndarray]  # float (n, 3), z, y, x, and int64 (n,), names


@dataclass(frozen=True)
class Narrowest:
    """Where two sets come nearest.

    Attributes:
        distance: between the bodies of voxels, in the unit of the voxel size: 0 where they touch, if only at a corner, and
            infinite where a set is empty.
        one, other: the points (z, y, x) on both, in that unit; the stack begins at 0.
        names: of the voxels at these points, as they were given.
    """

    distance: float = math.inf
    one: Point | None = None
    other: Point | None = None
    names: tuple[int, int] = (0, 0)


class Gap:
    """The smallest distance between two sets of voxels, which are added slab by slab.

    Of two voxels of a grid the nearest points can always be two of their corners: along each axis their sides coincide,
    touch or lie apart by whole voxels. So the corners of the sets' voxels are compared. Only those of voxels at the sets'
    sides are needed, in boxes of voxels only where the other set may be nearer than the smallest distance so far, and behind
    a slab only those that lie no further back along z than that.

    Args:
        voxel_size: (z, y, x), or three times 1 where it is unknown.
        most: a distance from which on the gap is of no interest, such as one found otherwise.
    """

    def __init__(self, voxel_size: Point, most: float = math.inf) -> None:
        self._size, self._most = np.array(voxel_size), most
        self._near = [_none(), _none()]
        self.found = Narrowest()

    def add(self, start: int, one: np.ndarray, other: np.ndarray, names: np.ndarray) -> None:
        """Take up the next slab.

        Args:
            start: its first slice.
            one, other: bool (h, Y, X), the voxels of both sets; no voxel is of both.
            names: int (h, Y, X), what each voxel belongs to.
        """
        end, along = start + len(one), self._size[0]
        behind = [points[:, 0].min() / along for points, _ in self._near if len(points)]
        boxes = Boxes(round(min([start, *behind])), end, one.shape[1:], self._size)
        held = [boxes.held(points, start, mask) for (points, _), mask in zip(self._near, (one, other), strict=True)]
        near = [boxes.near(theirs, self._bound()) for theirs in held[::-1]]
        last = max(0.0, len(one) - 1 - self._bound() / along)
        new, old = [], []
        for side, mask in enumerate((one, other)):
            places = at_the_side(mask, start - boxes.first, EDGE, near[side], last)
            new.append(_corners(places, mask.shape, start, names, self._size))
            old.append(_both(self._near[side], new[side]))

        def needed(corners: Corners, side: int) -> Corners:
            kept = near[side][boxes.of(corners[0])]
            return corners[0][kept], corners[1][kept]

        self._compare(needed(new[0], 0), needed(old[1], 1), False)
        self._compare(needed(new[1], 1), needed(self._near[0], 0), True)
        for side, (points, their) in enumerate(old):
            kept = points[:, 0] >= end * along - self._bound()
            self._near[side] = points[kept], their[kept]

    def _bound(self) -> float:
        return min(self.found.distance, self._most)

    def _compare(self, new: Corners, old: Corners, swapped: bool) -> None:
        if not len(new[0]) or not len(old[0]):
            return
        # the tree of the larger set; within 1 + 1e-9 an equal distance is looked at again, and the first one stays
        bound = self._bound() * (1 + 1e-9) if math.isfinite(self._bound()) else math.inf
        small, large = (new, old) if len(new[0]) < len(old[0]) else (old, new)
        distances, at = KDTree(large[0]).query(small[0], distance_upper_bound=bound)
        least = int(distances.argmin())
        if distances[least] < self._bound():
            ends = [(small[0][least], small[1][least]), (large[0][at[least]], large[1][at[least]])]
            first, second = ends if (small is new) is not swapped else ends[::-1]
            names = int(first[1]), int(second[1])
            self.found = Narrowest(float(distances[least]), _point(first[0]), _point(second[0]), names)


def _point(at: np.ndarray) -> Point:
    z, y, x = (float(along) for along in at)
    return z, y, x


def _none() -> Corners:
    return np.zeros((0, 3)), np.zeros(0, np.int64)


def _both(one: Corners, other: Corners) -> Corners:
    return np.concatenate([one[0], other[0]]), np.concatenate([one[1], other[1]])


def _corners(held: np.ndarray, within: Sequence[int], start: int, names: np.ndarray, size: np.ndarray) -> Corners:
    """Corners of the voxels at flat places of a slab, each once, with the name of a voxel there."""
    shape = np.array(within) + 1
    if not held.size:
        return _none()
    place = np.stack(np.unravel_index(held, within))
    corners, first = np.unique(
        np.concatenate(
            [np.ravel_multi_index(tuple(place + np.array(c)[:, None]), shape) for c in product((0, 1), repeat=3)]
        ),
        return_index=True,
    )
    found = np.stack(np.unravel_index(corners, shape), axis=1).astype(float)
    found[:, 0] += start
    return found * size, names.reshape(-1)[held[first % len(held)]].astype(np.int64)

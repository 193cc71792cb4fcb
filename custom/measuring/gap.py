"""The smallest gap that is left between what hangs on one electrode and what hangs on the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from custom.base.compiling import compiled
from custom.measuring.cell_slab import CellSlab, Lengths
from custom.measuring.found import Pieces
from custom.pieces.gap import Gap, Point


@dataclass(frozen=True)
class SmallestGap:
    """Where both electrodes, with the lithium that touches them, come nearest.

    Attributes:
        distance: between bodies, 0 where they touch or are one, in the voxel size's unit.
        ends: numbers of the agglomerates that it lies between, 1 is the largest; 0 is the electrode itself.
        place: a point (z, y, x) on either end in that unit, where it is known; the stack begins at 0.
    """

    distance: float
    ends: tuple[int, int]
    place: tuple[Point | None, Point | None] = (None, None)


class GapFinder:
    """Looks for it through slabs whose pieces are known.

    Args:
        pieces: by all neighbours.
        normals: of both electrodes' planes, unit vectors (z, y, x).
        apart: the least distance between the electrodes themselves.
        voxel_size: (z, y, x) in um, or three times 1.
    """

    def __init__(
        self, pieces: Pieces, normals: tuple[np.ndarray, np.ndarray], apart: float, voxel_size: Lengths
    ) -> None:
        self.normals, self.touches = normals, pieces.touches
        bridges = np.flatnonzero(pieces.bridges)
        self.bridged = int(bridges[0]) + 1 if bridges.size else 0
        self._size = np.array(voxel_size)
        self._best, self._gap = SmallestGap(apart, (0, 0)), Gap(voxel_size, apart)

    def add(self, slab: CellSlab, number: np.ndarray) -> None:
        """Take up the next slab.

        Args:
            number: int (h, Y, X), of each voxel's piece, -1 where there is none.
        """
        if self.bridged:
            return
        assert slab.electrodes is not None
        sides = np.zeros((2, *number.shape), bool)
        for z, plane in enumerate(number):
            at = slab.start + z
            distances = slab.electrodes.distances(at, at + 1, slab.shape, slab.voxel_size)[:, 0]
            nearest = hanging(plane, self.touches, distances, sides[:, z])
            for side, (y, x) in enumerate(nearest.tolist()):
                if y >= 0:
                    end = (at, y, x), float(distances[1 - side, y, x]), int(plane[y, x])
                    self._to_electrode(1 - side, *end)
        self._gap.add(slab.start, sides[0], sides[1], number)

    def _to_electrode(self, electrode: int, voxel: tuple[int, int, int], distance: float, piece: int) -> None:
        """What hangs on one electrode against the other electrode itself."""
        normal, size = self.normals[electrode], self._size
        body = max(0.0, distance - float(np.abs(normal) @ size) / 2)  # from the voxel's nearest corner
        if not body < self._best.distance:
            return
        toward = -1.0 if electrode == 0 else 1.0
        corner = (np.array(voxel) + 0.5 + 0.5 * np.sign(normal) * toward) * size
        ends = (corner, corner + normal * toward * body)
        first, second = (_point(end) for end in (ends if electrode else ends[::-1]))
        self._best = SmallestGap(body, (piece + 1, 0) if electrode else (0, piece + 1), (first, second))

    def found(self) -> SmallestGap:
        """Of all slabs that were added."""
        gap = self._gap.found
        if self.bridged:
            return SmallestGap(0.0, (self.bridged, self.bridged))
        if gap.distance >= self._best.distance or gap.one is None or gap.other is None:
            return self._best
        return SmallestGap(gap.distance, (gap.names[0] + 1, gap.names[1] + 1), (gap.one, gap.other))


@compiled
def hanging(number, touches, distances, sides):  # type: ignore[no-untyped-def]
    """Which voxels of a slice hang on either electrode, and which of them comes nearest to the other one.

    Args:
        number: int32 (Y, X), -1 is no piece.
        touches: bool (n, 2), which electrodes each piece touches.
        distances: float32 (2, Y, X), of each voxel from either electrode.
        sides: bool (2, Y, X), False; becomes True where a voxel hangs on an electrode.

    Returns:
        int64 (2, 2): y and x of these nearest ones, the first of several; -1 where none hangs there.
    """
    nearest, least = np.full((2, 2), -1), np.full(2, np.inf)
    for y in range(number.shape[0]):
        for x in range(number.shape[1]):
            piece = number[y, x]
            if piece < 0:
                continue
            for side in range(2):
                if touches[piece, side]:
                    sides[side, y, x] = True
                    if distances[1 - side, y, x] < least[side]:
                        least[side] = distances[1 - side, y, x]
                        nearest[side, 0], nearest[side, 1] = y, x
    return nearest


def _point(at: np.ndarray) -> Point:
    z, y, x = (float(along) for along in at)
    return z, y, x


def lengths(voxel_size_um: Sequence[float] | None) -> Lengths:
    """(z, y, x) in um, or three times 1 where it is unknown."""
    z, y, x = (float(along) for along in voxel_size_um or (1.0, 1.0, 1.0))
    return z, y, x

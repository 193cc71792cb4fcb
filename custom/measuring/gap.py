"""The smallest gap that is left between what hangs on one electrode and what hangs on the other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

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
        self.normals, self.touches = normals, np.concatenate([pieces.touches, [[False, False]]])
        bridges = np.flatnonzero(pieces.bridges)
        self.bridged = int(bridges[0]) + 1 if bridges.size else 0
        self._best, self._gap = SmallestGap(apart, (0, 0)), Gap(voxel_size, apart)

    def add(self, slab: CellSlab, number: np.ndarray) -> None:
        """Take up the next slab.

        Args:
            number: int (h, Y, X), of each voxel's piece, -1 where there is none.
        """
        if self.bridged:
            return
        sides = [self.touches[:, side][number] for side in range(2)]
        for side in range(2):
            self._best = _to_electrode(self._best, slab, sides[side], number, 1 - side, self.normals[1 - side])
        self._gap.add(slab.start, sides[0], sides[1], number)

    def found(self) -> SmallestGap:
        """Of all slabs that were added."""
        gap = self._gap.found
        if self.bridged:
            return SmallestGap(0.0, (self.bridged, self.bridged))
        if gap.distance >= self._best.distance or gap.one is None or gap.other is None:
            return self._best
        return SmallestGap(gap.distance, (gap.names[0] + 1, gap.names[1] + 1), (gap.one, gap.other))


def _to_electrode(
    best: SmallestGap, slab: CellSlab, held: np.ndarray, number: np.ndarray, electrode: int, normal: np.ndarray
) -> SmallestGap:
    """What hangs on one electrode against the other electrode itself."""
    assert slab.distances is not None
    if not held.any():
        return best
    distances = np.where(held, slab.distances[electrode, : slab.height], np.inf)
    at = int(distances.argmin())
    size = np.array(slab.voxel_size)
    body = max(
        0.0, float(distances.reshape(-1)[at]) - float(np.abs(normal) @ size) / 2
    )  # from the voxel's nearest corner
    if not body < best.distance or math.isinf(body):
        return best
    voxel = np.array(np.unravel_index(at, held.shape)) + [slab.start, 0, 0]
    toward = -1.0 if electrode == 0 else 1.0
    corner = (voxel + 0.5 + 0.5 * np.sign(normal) * toward) * size
    ends = (corner, corner + normal * toward * body)
    piece = int(number.reshape(-1)[at]) + 1
    first, second = (_point(end) for end in (ends if electrode else ends[::-1]))
    return SmallestGap(body, (piece, 0) if electrode else (0, piece), (first, second))


def _point(at: np.ndarray) -> Point:
    z, y, x = (float(along) for along in at)
    return z, y, x


def lengths(voxel_size_um: Sequence[float] | None) -> Lengths:
    """(z, y, x) in um, or three times 1 where it is unknown."""
    z, y, x = (float(along) for along in voxel_size_um or (1.0, 1.0, 1.0))
    return z, y, x

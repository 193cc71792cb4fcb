"""One electrode's surface: a height over the plane that the electrodes lie along."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

Lengths = tuple[float, float, float]


@dataclass(frozen=True)
class Surface:
    """Where an electrode ends: a plane, and what the electrode deviates from it.

    Along the axis through the thickness voxel n goes from n to n + 1, so that a height of 20 lies between the voxels 19 and
    20; across, a place is that of a voxel's middle.

    Attributes:
        slope: along the first and the second of the other two axes, in their order, voxels per voxel.
        height: of the plane at the middle of voxel (0, 0) of these axes, in voxels.
        deviation: float32 (n, m), by which the surface lies beyond the plane, in voxels, on a grid; (1, 1) where it is the
            plane. Between its places it is interpolated, beyond the outermost it goes on.
        origin: of the grid, a voxel of both axes.
        step: of the grid, in voxels.
    """

    slope: tuple[float, float]
    height: float
    deviation: np.ndarray
    origin: tuple[float, float] = (0.0, 0.0)
    step: tuple[float, float] = (1.0, 1.0)

    def heights(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """In voxels, at all pairs of places along both axes: float32 (len(first), len(second))."""
        plane = self.height + self.slope[0] * first[:, None] + self.slope[1] * second
        rows, columns = (
            (along - origin) / step for along, origin, step in zip((first, second), self.origin, self.step, strict=True)
        )
        return np.asarray(plane + _bilinear(self.deviation, rows, columns), np.float32)

    def normal(self, voxel_size: Lengths, axis: int) -> np.ndarray:
        """Unit normal (z, y, x) of its plane, towards higher numbers of the axis through the thickness.

        Args:
            voxel_size: (z, y, x).
            axis: through the thickness, 0 is z.
        """
        across = [other for other in range(3) if other != axis]
        found = np.zeros(3)
        found[axis] = 1 / voxel_size[axis]
        for other, slope in zip(across, self.slope, strict=True):
            found[other] = -slope / voxel_size[other]
        return np.asarray(found / np.linalg.norm(found))


def tilt(one: Surface, voxel_size: Lengths, axis: int) -> float:
    """Angle in degrees between a surface's normal and the axis through the thickness."""
    return math.degrees(math.acos(min(1.0, float(one.normal(voxel_size, axis)[axis]))))


def _bilinear(grid: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """The grid at all pairs of places on it, within its border."""
    between = grid
    for axis, places in enumerate((rows, columns)):
        low = np.clip(np.floor(places).astype(int), 0, max(grid.shape[axis] - 2, 0))
        share = np.clip(places - low, 0, 1).reshape((-1, 1) if axis == 0 else (1, -1))
        high = np.minimum(low + 1, grid.shape[axis] - 1)
        between = between.take(low, axis) * (1 - share) + between.take(high, axis) * share
    return np.asarray(between)

"""Maximum and mean of a volume along its three axes, gathered slab by slab."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]

AXES = "zyx"  # along which; the picture's own axes are the other two, in their order


@dataclass(frozen=True)
class Projections:
    """What a volume (Z, Y, X) looks like from its three sides.

    Attributes:
        largest, mean: under "z" (Y, X), under "y" (Z, X), under "x" (Z, Y); NaN where no voxel was reconstructed.
    """

    largest: dict[str, Plane]
    mean: dict[str, Plane]


class ProjectionSums:
    """Gathers projections; what is not finite, or outside the reconstruction, does not count.

    Args:
        shape: (Z, Y, X) of the volume.
    """

    def __init__(self, shape: tuple[int, int, int]) -> None:
        z, y, x = shape
        sides = {"z": (y, x), "y": (z, x), "x": (z, y)}
        self._largest = {axis: np.full(side, -np.inf, np.float32) for axis, side in sides.items()}
        self._sum = {axis: np.zeros(side, np.float64 if axis == "z" else np.float32) for axis, side in sides.items()}
        self._count = {axis: np.zeros(side, np.int32) for axis, side in sides.items()}

    def add(self, start: int, slab: Plane) -> None:
        """Add the slices from `start` on, (h, Y, X), NaN where nothing was reconstructed."""
        for z, plane in enumerate(slab, start):
            known = np.isfinite(plane)
            low, zero = np.where(known, plane, -np.inf), np.where(known, plane, 0)
            np.maximum(self._largest["z"], low, out=self._largest["z"])
            self._sum["z"] += zero
            self._count["z"] += known
            for axis, along in (("y", 0), ("x", 1)):
                self._largest[axis][z] = low.max(axis=along)
                self._sum[axis][z] = zero.sum(axis=along)
                self._count[axis][z] = known.sum(axis=along)

    def gathered(self) -> Projections:
        """The projections of all that was added."""
        largest = {axis: np.where(np.isfinite(plane), plane, np.nan) for axis, plane in self._largest.items()}
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = {axis: (self._sum[axis] / self._count[axis]).astype(np.float32) for axis in AXES}
        return Projections(largest, mean)

"""Both electrodes, and where voxels lie between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from custom.electrodes.surface import Lengths, Surface, tilt


@dataclass(frozen=True)
class Electrodes:
    """The surfaces of the electrodes of a stack, which they face each other with.

    Attributes:
        axis: through the thickness, 0 is z.
        surfaces: the one at low numbers of that axis, and the one at high numbers.
        source: how they were found, in words for a report.
    """

    axis: int
    surfaces: tuple[Surface, Surface]
    source: str

    def distances(self, start: int, stop: int, shape: tuple[int, int, int], voxel_size: Lengths) -> np.ndarray:
        """How far the middles of voxels lie from each electrode, towards the other: float32 (2, stop - start, Y, X).

        Negative within an electrode. Measured along the normal of the surface where it lies under the voxel, which for planes
        is the distance, in the unit of the voxel size.

        Args:
            start, stop: slices along z.
            shape: (Z, Y, X) of the stack.
            voxel_size: (z, y, x), or three times 1 where it is unknown.
        """
        return self.distances_at([np.arange(start, stop), np.arange(shape[1]), np.arange(shape[2])], voxel_size)

    def distances_at(self, places: Sequence[np.ndarray], voxel_size: Lengths) -> np.ndarray:
        """As `distances`, of all the places on a grid: float32 (2, Z, Y, X).

        Args:
            places: along z, y and x, where whole numbers are middles of voxels.
            voxel_size: (z, y, x), or three times 1 where it is unknown.
        """
        across = [along for axis, along in enumerate(places) if axis != self.axis]
        along = np.asarray(places[self.axis] + 0.5, np.float32)
        along = along.reshape([-1 if axis == self.axis else 1 for axis in range(3)])
        found = np.empty((2, *map(len, places)), np.float32)
        for distance, surface, sign in zip(found, self.surfaces, (1, -1), strict=True):
            heights = np.expand_dims(surface.heights(*across), self.axis)
            cosine = surface.normal(voxel_size, self.axis)[self.axis]
            np.subtract(along, heights, out=distance, casting="same_kind")  # heights are float64, all of them 100 MB
            distance *= np.float32(sign * cosine * voxel_size[self.axis])
        return found

    def apart(self, shape: tuple[int, int, int], voxel_size: Lengths) -> float:
        """Mean distance between both surfaces, in the unit of the voxel size."""
        places = (np.linspace(0, shape[axis] - 1, min(shape[axis], 64)) for axis in range(3) if axis != self.axis)
        low, high = (surface.heights(*both) for both in [tuple(places)] for surface in self.surfaces)
        return float((high - low).mean()) * voxel_size[self.axis]

    def area(self, shape: tuple[int, int, int], voxel_size: Lengths) -> float:
        """Of an electrode's plane as far as the stack shows it, mean of both: squares of the voxel size's unit."""
        across = [other for other in range(3) if other != self.axis]
        seen = shape[across[0]] * voxel_size[across[0]] * shape[across[1]] * voxel_size[across[1]]
        return float(np.mean([seen / one.normal(voxel_size, self.axis)[self.axis] for one in self.surfaces]))

    def tilts(self, voxel_size: Lengths) -> tuple[float, float]:
        """Of both, in degrees."""
        low, high = (tilt(one, voxel_size, self.axis) for one in self.surfaces)
        return low, high

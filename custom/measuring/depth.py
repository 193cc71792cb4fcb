"""Where between the electrodes lithium sits: the profile through the thickness, and how deep it reaches."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from custom.base.compiling import compiled
from custom.measuring.cell_slab import CellSlab, Lengths
from custom.quantities.quantity import Quantity, Row, VoxelSize

FILE = "depth_profile.csv"
_BINS = 50  # of the profile, from one electrode to the other
_FINE = 10  # bins a voxel for the depth


class Depth(Quantity[CellSlab]):
    """Lithium by its place between the electrodes, and penetration depth: depth_profile.csv.

    The place of a voxel is its distance from the first electrode over that from both, 0 ... 1; its depth the distance from
    the nearer one. What lies within an electrode, or behind it, is counted apart.

    Args:
        apart: mean distance between the electrodes, in the voxel size's unit.
        voxel_size: (z, y, x) in um, or three times 1.
        axis: through the thickness, 0 is z.
    """

    name = "depth"
    files = (FILE,)

    def __init__(self, apart: float, voxel_size: Lengths, axis: int) -> None:
        self._bin = voxel_size[axis] / _FINE
        # to beyond the middle, since electrodes are no planes
        self._depths = np.zeros(math.ceil(apart / self._bin), np.int64)
        self._places = np.zeros((2, _BINS), np.int64)  # all voxels, and lithium
        self._beyond = np.zeros(2, np.int64)

    def of_slab(self, slab: CellSlab) -> dict[str, np.ndarray]:
        """``places`` int64 (2, bins), all voxels and lithium; ``depths``, lithium by depth; ``beyond``, lithium by electrode."""
        assert slab.distances is not None
        lithium = slab.own(slab.padded)
        places, depths, beyond = np.zeros_like(self._places), np.zeros_like(self._depths), np.zeros(2, np.int64)
        _count(slab.distances, lithium, self._bin, places, depths, beyond)
        return {"places": places, "depths": depths, "beyond": beyond}

    def add(self, start: int, slab: Mapping[str, np.ndarray]) -> None:
        """Counts add up."""
        self._places += slab["places"]
        self._depths += slab["depths"]
        self._beyond += slab["beyond"]

    def result(self, voxel_size_um: VoxelSize) -> dict[str, Any]:
        """Largest depth and 95th percentile of the lithium's, and what lies beyond an electrode."""
        unit = "voxels" if voxel_size_um is None else "um"
        told: dict[str, Any] = {
            f"lithium_beyond_{n}_voxels": int(beyond) for n, beyond in zip((1, 2), self._beyond, strict=True)
        }
        total = np.cumsum(self._depths)
        for name, share in (("penetration_depth", 1.0), ("penetration_depth_95", 0.95)):
            at = int(np.searchsorted(total, share * total[-1])) if total[-1] else None
            told[f"{name}_{unit}"] = None if at is None else (at + 0.5) * self._bin
        return told

    def tables(self, voxel_size_um: VoxelSize) -> dict[str, Sequence[Row]]:
        """A row for each fiftieth of the way from the first electrode to the second."""
        rows: list[Row] = []
        for n, (voxels, lithium) in enumerate(self._places.T.tolist()):
            share = lithium / voxels if voxels else None
            rows.append(
                {"place": (n + 0.5) / _BINS, "voxels": voxels, "lithium_voxels": lithium, "volume_fraction": share}
            )
        return {FILE: rows}


@compiled
def _count(distances, lithium, step, places, depths, beyond):  # type: ignore[no-untyped-def]
    """Add voxels to what `Depth.of_slab` gives; `distances` (2, h or more, Y, X), `lithium` (h, Y, X), `step` of a bin of depth."""
    bins, deepest = places.shape[1], len(depths) - 1
    for z in range(lithium.shape[0]):
        for y in range(lithium.shape[1]):
            for x in range(lithium.shape[2]):
                first, second = distances[0, z, y, x], distances[1, z, y, x]
                if first > 0 and second > 0:
                    at = min(int(first / (first + second) * bins), bins - 1)
                    places[0, at] += 1
                    if lithium[z, y, x]:
                        places[1, at] += 1
                        depths[min(int(min(first, second) / step), deepest)] += 1
                elif lithium[z, y, x]:
                    beyond[0] += first <= 0
                    beyond[1] += second <= 0

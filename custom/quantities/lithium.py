"""How much lithium there is, and at which thresholds how much."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from custom.quantities.amount import lithium_summary
from custom.quantities.quantity import FoundSlab, Quantity, VoxelSize


class Lithium(Quantity):
    """Voxels, share and volume of lithium, of the mask and at each of some thresholds; voxels that were left out.

    Args:
        thresholds: those that the evaluator's postprocessing counts the voxels at or above for, as ``pred_above``.
    """

    name = "lithium"

    def __init__(self, thresholds: Sequence[float] = ()) -> None:
        self.thresholds = tuple(thresholds)
        self._sums = np.zeros(4 + len(self.thresholds), np.int64)

    def of_slab(self, slab: FoundSlab) -> dict[str, np.ndarray]:
        """All counts in one array: voxels, lithium, outside, non-finite, then one for each threshold."""
        lithium = sum(np.count_nonzero(plane) for plane in slab.mask)  # without a copy of the slab
        outside = 0 if slab.outside is None else np.count_nonzero(slab.outside)
        above = slab.counts["pred_above"].tolist() if self.thresholds else []
        return {"counts": np.array([slab.mask.size, lithium, outside, slab.nonfinite, *above], np.int64)}

    def add(self, start: int, slab: Mapping[str, np.ndarray]) -> None:
        """Counts add up."""
        self._sums += slab["counts"]

    def result(self, voxel_size_um: VoxelSize) -> dict[str, Any]:
        """``nonfinite_voxels``, ``outside_voxels``, what `lithium_summary` says, and the same by threshold."""
        voxels, lithium, outside, nonfinite, *above = self._sums.tolist()
        return {
            "nonfinite_voxels": nonfinite,
            "outside_voxels": outside,
            **lithium_summary(lithium, voxels, voxel_size_um, outside),
            "lithium_by_threshold": [
                {"threshold": threshold, **lithium_summary(count, voxels, voxel_size_um, outside)}
                for threshold, count in zip(self.thresholds, above, strict=True)
            ],
        }

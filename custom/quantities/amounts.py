"""How much of each class there is, and how much at which thresholds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from custom.base.classes import LITHIUM
from custom.quantities.amount import class_amount, lithium_summary
from custom.quantities.quantity import FoundSlab, Quantity, VoxelSize

_ALL = 3  # counts that are of no class: all voxels, outside, non-finite


class Amounts(Quantity[FoundSlab]):
    """Voxels, share and volume of each class, of the mask and at each of some thresholds; voxels that were left out.

    Args:
        thresholds: those that the evaluator's postprocessing counts the voxels at or above for, as ``pred_above``.
        classes: names of the mask's values 1, 2, ...; the keys of a single one are those of lithium.
    """

    name = "amounts"

    def __init__(self, thresholds: Sequence[float] = (), classes: Sequence[str] = LITHIUM) -> None:
        self.thresholds, self.classes = tuple(thresholds), tuple(classes)
        self.settings = {"thresholds": list(self.thresholds)}
        self._sums = np.zeros(_ALL + len(self.classes) * (1 + len(self.thresholds)), np.int64)

    def of_slab(self, slab: FoundSlab) -> dict[str, np.ndarray]:
        """All counts in one array: voxels, outside, non-finite, then of each class those of the mask, then by threshold."""
        outside = 0 if slab.outside is None else np.count_nonzero(slab.outside)
        found = np.zeros(1 + len(self.classes), np.int64)
        for plane in slab.mask:  # without a copy of the slab
            found += value_counts(plane, len(self.classes))
        above = slab.counts["pred_above"].ravel().tolist() if self.thresholds else []
        return {"counts": np.array([slab.mask.size, outside, slab.nonfinite, *found[1:], *above], np.int64)}

    def add(self, start: int, slab: Mapping[str, np.ndarray]) -> None:
        """Counts add up."""
        self._sums += slab["counts"]

    def result(self, voxel_size_um: VoxelSize) -> dict[str, Any]:
        """``nonfinite_voxels``, ``outside_voxels`` and the amount of each class, below its name, also ``by_threshold``.

        Of a single class what `lithium_summary` says, and the same as ``lithium_by_threshold``.
        """
        voxels, outside, nonfinite = self._sums[:_ALL].tolist()
        several = len(self.classes) > 1
        amount = class_amount if several else lithium_summary

        def amounts(counts: np.ndarray) -> list[dict[str, int | float]]:
            # the probability outside is 0, which the threshold 0 counts
            return [amount(min(count, voxels - outside), voxels, voxel_size_um, outside) for count in counts.tolist()]

        found = amounts(self._sums[_ALL : _ALL + len(self.classes)])
        above = self._sums[_ALL + len(self.classes) :].reshape(len(self.classes), len(self.thresholds))
        by_threshold = [
            [{"threshold": t, **told} for t, told in zip(self.thresholds, amounts(row), strict=True)] for row in above
        ]
        all_of = {"nonfinite_voxels": nonfinite, "outside_voxels": outside}
        if not several:
            return {**all_of, **found[0], "lithium_by_threshold": by_threshold[0]}
        each = zip(self.classes, found, by_threshold, strict=True)
        classes = {name: {**told, "by_threshold": rows} for name, told, rows in each}
        return {**all_of, "voxels": voxels, "classes": classes}


def value_counts(plane: np.ndarray, classes: int) -> np.ndarray:
    """How many voxels of a slice of a mask have each value 0, 1, ..., `classes`."""
    if classes == 1:
        found = np.count_nonzero(plane)
        return np.array([plane.size - found, found])
    return np.bincount(plane.ravel(), minlength=1 + classes)

"""The amount of each class, added up over slabs."""

from __future__ import annotations

import numpy as np

from custom.quantities.amounts import Amounts
from custom.quantities.quantity import FoundSlab


def test_counts_of_slabs_add_up() -> None:
    lithium = Amounts([0.3, 0.7])
    mask = np.zeros((2, 3, 4), np.uint8)
    mask[0, 0, :3] = 1
    outside = np.zeros(mask.shape, bool)
    outside[1, 2] = True
    for start, out, nonfinite in ((0, None, 5), (2, outside, 1)):
        slab = FoundSlab({"mask": mask}, mask, out, nonfinite, {"pred_above": np.array([[4, 2]])})
        lithium.add(start, lithium.of_slab(slab))
    assert lithium.result(None) == {
        "nonfinite_voxels": 6,
        "outside_voxels": 4,
        "lithium_voxels": 6,
        "voxels": 48,
        "volume_fraction": 6 / 44,
        "lithium_by_threshold": [
            {"threshold": 0.3, "lithium_voxels": 8, "voxels": 48, "volume_fraction": 8 / 44},
            {"threshold": 0.7, "lithium_voxels": 4, "voxels": 48, "volume_fraction": 4 / 44},
        ],
    }


def test_each_of_several_classes_has_its_own() -> None:
    amounts = Amounts([0.5], ["pit", "dendrite", "impurity"])
    mask = np.array([[[0, 0, 1, 2], [2, 2, 0, 0]]], np.uint8)
    outside = np.zeros(mask.shape, bool)
    outside[0, 1, 2:] = True
    for start in (0, 1):
        slab = FoundSlab({"mask": mask}, mask, outside, 0, {"pred_above": np.array([[1], [2], [0]])})
        amounts.add(start, amounts.of_slab(slab))

    def told(voxels: int) -> dict[str, float]:
        return {"voxels": voxels, "volume_fraction": voxels / 12, "um3": voxels * 3.0, "mm3": voxels * 3.0 * 1e-9}

    assert amounts.result((2.0, 1.5, 1.0)) == {
        "nonfinite_voxels": 0,
        "outside_voxels": 4,
        "voxels": 16,
        "classes": {
            "pit": {**told(2), "by_threshold": [{"threshold": 0.5, **told(2)}]},
            "dendrite": {**told(6), "by_threshold": [{"threshold": 0.5, **told(4)}]},
            "impurity": {**told(0), "by_threshold": [{"threshold": 0.5, **told(0)}]},
        },
    }
    assert list(amounts.result(None)["classes"]["pit"]) == ["voxels", "volume_fraction", "by_threshold"]


def test_the_threshold_0_counts_nothing_outside() -> None:
    lithium = Amounts([0.0])
    outside = np.ones((1, 2, 2), bool)
    outside[0, 0] = False
    slab = FoundSlab({"mask": np.zeros((1, 2, 2), np.uint8)}, outside, outside, 0, {"pred_above": np.array([[4]])})
    lithium.add(0, lithium.of_slab(slab))
    assert lithium.result(None)["lithium_by_threshold"][0]["volume_fraction"] == 1

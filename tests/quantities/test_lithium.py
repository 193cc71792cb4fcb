"""The amount of lithium, added up over slabs."""

from __future__ import annotations

import numpy as np

from custom.quantities.lithium import Lithium
from custom.quantities.quantity import FoundSlab


def test_counts_of_slabs_add_up() -> None:
    lithium = Lithium([0.3, 0.7])
    mask = np.zeros((2, 3, 4), np.uint8)
    mask[0, 0, :3] = 1
    outside = np.zeros(mask.shape, bool)
    outside[1, 2] = True
    for start, out, nonfinite in ((0, None, 5), (2, outside, 1)):
        slab = FoundSlab({"mask": mask}, mask, out, nonfinite, {"pred_above": np.array([4, 2])})
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

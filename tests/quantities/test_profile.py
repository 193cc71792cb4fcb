"""Lithium along each axis, against numpy's sums of the whole mask."""

from __future__ import annotations

import numpy as np
import pytest

from custom.quantities.profile import Profile
from custom.quantities.quantity import FoundSlab

DRAW = np.random.default_rng(0)


@pytest.mark.parametrize(("depth", "height"), [(7, 3), (7, 1), (300, 300)])
@pytest.mark.parametrize("size", [None, (2.0, 1.5, 0.5)])
@pytest.mark.parametrize("round_field", [False, True])
def test_profiles(depth: int, height: int, size: tuple[float, ...] | None, round_field: bool) -> None:
    mask = (DRAW.random((depth, 5, 4)) < 0.7).astype(np.uint8)
    outside = np.zeros(mask.shape, bool)
    if round_field:
        outside[:, :, 3] = outside[1, 2] = True
        mask[outside] = 0
    profile = Profile()
    for start in range(0, depth, height):
        part = slice(start, start + height)
        slab = FoundSlab({"mask": mask[part]}, mask[part], outside[part] if round_field else None)
        profile.add(start, profile.of_slab(slab))
    tables = profile.tables(size)
    assert tuple(tables) == Profile.files == tuple(profile.result(size)["profiles"].values())
    for number, (axis, rows) in enumerate(zip("zyx", tables.values(), strict=True)):
        others = tuple(other for other in range(3) if other != number)
        lithium = mask.sum(axis=others, dtype=int).tolist()
        voxels = (~outside).sum(axis=others, dtype=int).tolist()
        assert [row[axis] for row in rows] == list(range(mask.shape[number]))
        assert [row["voxels"] for row in rows] == voxels and [row["lithium_voxels"] for row in rows] == lithium
        shares = [one / all_of if all_of else None for one, all_of in zip(lithium, voxels, strict=True)]
        assert [row["volume_fraction"] for row in rows] == shares
        if size is None:
            assert not {"position_um", "lithium_um3"} & set(rows[0])
        else:
            assert [row["position_um"] for row in rows] == [size[number] * (at + 0.5) for at in range(len(rows))]
            assert [row["lithium_um3"] for row in rows] == [1.5 * one for one in lithium]


def test_profiles_of_several_classes() -> None:
    mask = DRAW.integers(0, 3, (300, 5, 4)).astype(np.uint8)
    mask[0, 0] = 0
    profile = Profile(["pit", "dead lithium"])
    for start in range(0, 300, 260):
        slab = FoundSlab({"mask": mask[start : start + 260]}, mask[start : start + 260])
        profile.add(start, profile.of_slab(slab))
    for number, rows in enumerate(profile.tables((2.0, 1.5, 0.5)).values()):
        others = tuple(other for other in range(3) if other != number)
        for value, name in enumerate(("pit", "dead lithium"), 1):
            found = (mask == value).sum(axis=others).tolist()
            assert [row[f"{name}_voxels"] for row in rows] == found
            assert [row[f"{name}_um3"] for row in rows] == [1.5 * one for one in found]
            of_all = mask.size // mask.shape[number]
            assert [row[f"{name}_volume_fraction"] for row in rows] == [one / of_all for one in found]
        assert not {"lithium_voxels", "volume_fraction"} & set(rows[0])

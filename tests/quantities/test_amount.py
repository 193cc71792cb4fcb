"""Lithium quantities against exact rational arithmetic."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from custom.quantities.amount import lithium_summary


def test_the_study_volume_with_its_voxel_size() -> None:
    voxels, lithium, side = 3849 * 340 * 2071, 82_892_014, Fraction("1.33")
    summary = lithium_summary(lithium, voxels, (1.33, 1.33, 1.33))
    assert summary["voxels"] == 2_710_234_860
    assert summary["volume_fraction"] == pytest.approx(0.03058, abs=5e-6)  # Table 2 of the study: 3.058 %
    assert summary["lithium_um3"] == pytest.approx(float(lithium * side**3), rel=1e-14)
    assert summary["lithium_mm3"] == pytest.approx(float(lithium * side**3 / 10**9), rel=1e-14)


def test_without_a_voxel_size_there_are_no_units() -> None:
    assert lithium_summary(1, 4, None) == {"lithium_voxels": 1, "voxels": 4, "volume_fraction": 0.25}


def test_numpy_counts_become_python_ints_and_do_not_overflow() -> None:
    summary = lithium_summary(np.uint32(4_000_000_000), np.uint32(4_200_000_000), (2.0, 3.0, 5.0))
    assert summary["lithium_um3"] == 120_000_000_000
    assert type(summary["lithium_voxels"]) is type(summary["voxels"]) is int


@pytest.mark.parametrize(
    ("lithium", "voxels", "size"),
    [(5, 4, None), (-1, 4, None), (0, 0, None), (1, 4, (1.0, 0.0, 1.0)), (1, 4, (1.0, 1.0)), (1, 4, (np.nan, 1, 1))],
)
def test_the_impossible_is_refused(lithium: int, voxels: int, size: tuple[float, ...] | None) -> None:
    with pytest.raises(ValueError, match="impossible|three lengths"):
        lithium_summary(lithium, voxels, size)

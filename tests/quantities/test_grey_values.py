"""Mean and standard deviation of the grey values of each class, against numpy on the whole stack at once."""

from __future__ import annotations

import json

import numpy as np
import pytest

from custom.quantities.grey_values import GreyValues
from custom.quantities.quantity import FoundSlab

DRAW = np.random.default_rng(0)
MASK = (DRAW.random((11, 13, 17)) < 0.2).astype(np.uint8)
OUTSIDE = DRAW.random(MASK.shape) < 0.3
MASK[OUTSIDE] = 0


def measured(
    mask: np.ndarray, grey: np.ndarray, outside: np.ndarray | None, height: int
) -> dict[str, dict[str, float]]:
    """Cut into slabs of so many slices."""
    quantity = GreyValues()
    for start in range(0, len(mask), height):
        part = slice(start, start + height)
        slab = FoundSlab({"mask": mask[part]}, grey[part], None if outside is None else outside[part])
        quantity.add(start, quantity.of_slab(slab))
    found: dict[str, dict[str, float]] = quantity.result(None)["grey_values"]
    return found


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "int64", "float32", "float64"])
@pytest.mark.parametrize("outside", [None, OUTSIDE])
def test_they_are_numpys(dtype: str, outside: np.ndarray | None) -> None:
    grey = DRAW.integers(0, 250, MASK.shape).astype(dtype)
    counted = np.ones(MASK.shape, bool) if outside is None else ~outside
    if grey.dtype.kind == "f":
        grey[0, 0, :3] = np.nan, np.inf, -np.inf
        counted = counted & np.isfinite(grey)
    found = measured(MASK, grey, outside, 4)
    for value, name in enumerate(("background", "lithium")):
        of_class = grey[counted & (MASK == value)].astype(np.float64)
        assert found[name] == {
            "voxels": of_class.size,
            "mean": pytest.approx(of_class.mean(), rel=1e-12),
            "standard_deviation": pytest.approx(of_class.std(), rel=1e-12),
        }


def test_the_height_of_the_slabs_changes_no_digit() -> None:
    grey = DRAW.normal(1.0, 1e-3, MASK.shape).astype(np.float32)
    assert len({json.dumps(measured(MASK, grey, OUTSIDE, height)) for height in (1, 3, 11)}) == 1


def test_large_values_close_together_lose_nothing() -> None:
    """A sum of squares of 1e9 keeps 1e2 of 1e18: the deviation of 1 would be lost."""
    grey = 1e9 + DRAW.normal(0, 1, MASK.shape)
    found = measured(MASK, grey, None, 2)["background"]
    assert found["standard_deviation"] == pytest.approx(grey[MASK == 0].std(), rel=1e-7)


def test_a_class_without_a_voxel_has_no_mean() -> None:
    found = measured(np.zeros_like(MASK), np.ones(MASK.shape), None, 4)
    assert found["lithium"] == {"voxels": 0, "mean": None, "standard_deviation": None}
    assert found["background"] == {"voxels": MASK.size, "mean": 1.0, "standard_deviation": 0.0}

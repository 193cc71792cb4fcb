"""`GreyWindowd` against its formula in float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from custom.base.errors import BadInput
from custom.stack import grey_window
from custom.transforms import GreyWindowd, LoadStackd
from custom.transforms.grey_window import apply_window


def expected(values: np.ndarray, lower: float, upper: float) -> np.ndarray:
    return np.clip((values.astype(np.float64) - lower) / (upper - lower), 0, 1)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", ">u2", "int16", "int32", "uint32", "float16", "float64"])
@pytest.mark.parametrize("window", [(20.25, 99.5), (20, 99)])
def test_formula(dtype: str, window: tuple[float, float]) -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(60, 20, (1, 3, 20, 30)).clip(0, 120).astype(dtype)
    item = LoadStackd("image")({"image": values})
    found = GreyWindowd("image")({**item, "grey_window": window})
    assert found["image"].dtype == torch.float32
    np.testing.assert_allclose(found["image"], expected(values, *window), rtol=0, atol=1e-6)
    assert found["nonfinite"] == 0


def test_large_offsets_keep_their_contrast_in_float64() -> None:
    values = 1e9 + np.linspace(0, 1, 50).reshape(1, 5, 10)
    found = GreyWindowd("image")({"image": torch.from_numpy(values), "grey_window": (1e9, 1e9 + 1)})["image"]
    np.testing.assert_allclose(found, expected(values, 1e9, 1e9 + 1), atol=1e-6)


@pytest.mark.parametrize("dtype", ["uint16", "float32"])
def test_slab_by_slab_is_the_whole_volume(dtype: str) -> None:
    volume = np.random.default_rng(0).gamma(3, 500, (9, 20, 21)).astype(dtype)
    window = grey_window(volume, (0.5, 99.5))
    load, scale = LoadStackd("image"), GreyWindowd("image", {"percentiles": (0.5, 99.5)})
    whole = scale(load({"image": volume}))
    assert whole["grey_window"] == (window.lower, window.upper)
    assert (whole["image"].min(), whole["image"].max()) == (0, 1)
    parts = [volume[start : start + 4] for start in (0, 4, 8)]
    ends = (window.lower, window.upper)
    slabs = [scale(load({"image": part[None], "grey_window": ends}))["image"] for part in parts]
    assert torch.equal(torch.cat(slabs, dim=1), whole["image"])


def test_percentiles_against_numpy() -> None:
    volume = np.random.default_rng(0).normal(size=(4, 20, 30)).astype(np.float32)
    found = GreyWindowd("image", {"percentiles": (10, 80)})({"image": volume[None]})
    np.testing.assert_allclose(found["grey_window"], np.percentile(volume, (10, 80)), rtol=1e-6)


def test_fixed_window_and_the_item_that_brings_its_own() -> None:
    values = np.arange(12.0).reshape(1, 3, 4)
    scale = GreyWindowd("image", {"fixed": (2, 7)})
    np.testing.assert_allclose(scale({"image": values})["image"], expected(values, 2, 7), atol=1e-7)
    found = scale({"image": values, "grey_window": (0, 11)})["image"]
    np.testing.assert_allclose(found, expected(values, 0, 11), atol=1e-7)


def test_values_that_are_not_finite_become_the_lower_end_and_are_counted() -> None:
    values = torch.linspace(1, 2, 20).reshape(1, 4, 5)
    values[0, 0, :3] = torch.tensor([torch.nan, torch.inf, -torch.inf])
    untouched = values.clone()
    found = GreyWindowd("image", {"percentiles": (0, 100)})({"image": values})
    assert found["nonfinite"] == 3
    assert torch.isfinite(found["image"]).all()
    assert not found["image"][0, 0, :3].any()
    torch.testing.assert_close(found["image"][0, 3, 4], torch.tensor(1.0))
    assert torch.equal(values.nan_to_num(), untouched.nan_to_num())


def test_refusals() -> None:
    with pytest.raises(BadInput, match="no contrast"):
        GreyWindowd("image")({"image": np.ones((1, 4, 5))})
    with pytest.raises(BadInput, match="no finite"):
        GreyWindowd("image")({"image": np.full((1, 4, 5), np.nan)})


def test_apply_window_keeps_its_input() -> None:
    values = torch.rand(1, 4, 5)
    before = values.clone()
    apply_window(values, 0.2, 0.7)
    assert torch.equal(values, before)

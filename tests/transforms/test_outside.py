"""The surround of a reconstruction on its way through the transforms."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from custom.stack import warn_once
from custom.transforms import ClearOutsided, GreyWindowd

SIDE = 90
REGION = np.zeros((SIDE, SIDE), bool)
REGION[:, 60:] = True


def surrounded(dtype: str = "float32", value: float = np.nan) -> np.ndarray:
    voxels = np.random.default_rng(0).normal(100, 10, (2, SIDE, SIDE)).astype(dtype)
    voxels[:, REGION] = value
    return voxels


def test_outside_is_filled_unlabelled_and_no_fault() -> None:
    voxels = surrounded()
    voxels[0, 5, 5] = np.nan  # inside
    label = torch.ones((1, 2, SIDE, SIDE), dtype=torch.uint8)
    item = GreyWindowd("image")({"image": torch.as_tensor(voxels)[None], "label": label})
    np.testing.assert_array_equal(item["outside"].numpy(), np.broadcast_to(REGION, (1, 2, SIDE, SIDE)))
    assert item["nonfinite"] == 1 and "surround" not in item
    assert (item["label"][..., :60] == 1).all() and (item["label"][..., 60:] == 255).all()
    assert (label == 1).all(), "what was handed over stays as it is"
    assert abs(float(item["image"][..., 60:].mean()) - float(item["image"][..., :60].mean())) < 0.02


def test_an_item_says_which_values_lie_outside() -> None:
    voxels = surrounded("int32", 0)
    item = GreyWindowd("image")({"image": voxels[:1], "grey_window": (70.0, 130.0), "surround": (0.0,)})
    assert item["outside"].sum() == REGION.sum()
    without = GreyWindowd("image")({"image": voxels[:1], "grey_window": (70.0, 130.0)})
    assert "outside" not in without and (without["image"][..., 60:] == 0).all()


@pytest.mark.parametrize("known", [(), (0.0,)])
@pytest.mark.parametrize("value", [-1000.0, np.nan, 97.5])
def test_a_surround_that_no_slice_had_so_far(
    value: float, known: tuple[float, ...], caplog: pytest.LogCaptureFixture
) -> None:
    """64 slices of a stack show its surround; those in between may have another one."""
    warn_once.cache_clear()
    voxels = np.random.default_rng(0).normal(100, 10, (3, SIDE, SIDE)).astype(np.float32)
    voxels[1, REGION] = value
    voxels[2] = value  # all of it
    windowed = GreyWindowd("image")
    for start in (8, 16):
        item = windowed({"image": voxels[None], "start": start, "grey_window": (70.0, 130.0), "surround": known})
        np.testing.assert_array_equal(
            item["outside"][0].numpy(), np.stack([np.zeros_like(REGION), REGION, REGION | True])
        )
        assert item["nonfinite"] == 0
    (told,) = caplog.messages
    assert f"Slice 9 has {value:g} outside the reconstruction, which no slice had" in told


def test_material_alone_is_told_of_nothing(caplog: pytest.LogCaptureFixture) -> None:
    voxels = np.random.default_rng(0).normal(20, 10, (2, SIDE, SIDE)).clip(0, 255).astype(np.uint8)
    voxels[1, 40:70, 40:70] = 255  # saturated, but inside
    item = GreyWindowd("image")({"image": voxels[None], "grey_window": (5.0, 40.0), "surround": ()})
    assert "outside" not in item and not caplog.messages


def test_a_simulation_of_few_values_is_material() -> None:
    voxels = np.zeros((1, SIDE, SIDE), np.uint8)
    voxels[:, 20:60], voxels[:, 60:, 30:] = 1, 2
    for known, outside in (((), 0), ((0.0,), int((voxels == 0).sum()))):
        item = GreyWindowd("image")({"image": voxels[None], "grey_window": (0.0, 2.0), "surround": known})
        assert int(item.get("outside", torch.zeros(1)).sum()) == outside


def test_results_outside_are_background() -> None:
    outside = torch.as_tensor(REGION)[None]
    item = ClearOutsided("pred")({"pred": torch.ones(1, SIDE, SIDE), "outside": outside})
    assert (item["pred"] == ~outside).all()
    assert (ClearOutsided("pred")({"pred": torch.ones(1, 3, 3)})["pred"] == 1).all()


def test_outside_the_background_is_certain_among_several_classes() -> None:
    outside = torch.as_tensor(REGION)[None, None]
    item = ClearOutsided("pred")({"pred": torch.full((3, 1, SIDE, SIDE), 1 / 3), "outside": outside})
    assert (item["pred"][:, outside[0]] == torch.tensor([1.0, 0, 0])[:, None]).all()
    assert (item["pred"][:, ~outside[0]] == 1 / 3).all()

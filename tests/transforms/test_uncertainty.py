"""What comes with the mask: voxels above several thresholds, and the members' disagreement as a channel of its own."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from custom.transforms import CountAboved, SplitDisagreementd


@pytest.mark.parametrize("shape", [(1, 5, 6), (1, 4, 5, 6)])
@pytest.mark.parametrize("make", [torch.as_tensor, MetaTensor])
def test_counts_are_numpys(shape: tuple[int, ...], make: type) -> None:
    values = np.random.default_rng(0).integers(0, 11, shape).astype(np.float32) / 10
    item = CountAboved("pred", (0.3, 0.5, 0.7))({"pred": make(values)})
    assert item["pred_above"].tolist() == [[int((values >= np.float32(t)).sum()) for t in (0.3, 0.5, 0.7)]]
    assert torch.equal(torch.as_tensor(item["pred"]), torch.as_tensor(values))


@pytest.mark.parametrize("shape", [(3, 5, 6), (3, 4, 5, 6)])
def test_each_class_is_counted_and_the_background_is_not(shape: tuple[int, ...]) -> None:
    values = torch.rand(shape, generator=torch.Generator().manual_seed(0))
    item = CountAboved("pred", (0.3, 0.7))({"pred": values})
    assert item["pred_above"].tolist() == [[int((of_class >= t).sum()) for t in (0.3, 0.7)] for of_class in values[1:]]
    assert CountAboved("pred", ())({"pred": values})["pred_above"].shape == (2, 0)


def test_the_largest_disagreement_of_several_classes_is_kept() -> None:
    all_of = torch.randn(6, 3, 5, 6)
    item = SplitDisagreementd("pred", channels=3)({"pred": all_of})
    assert torch.equal(item["pred"], all_of[:3])
    assert torch.equal(item["uncertainty"][0], torch.maximum(torch.maximum(all_of[3], all_of[4]), all_of[5]))


def test_disagreement_is_split_off() -> None:
    both = torch.randn(2, 3, 5, 6)
    item = SplitDisagreementd("pred")({"pred": both, "start": 4})
    assert torch.equal(item["pred"], both[:1])
    assert torch.equal(item["uncertainty"], both[1:])
    assert item["start"] == 4

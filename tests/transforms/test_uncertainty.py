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
    assert item["pred_above"].tolist() == [int((values >= np.float32(t)).sum()) for t in (0.3, 0.5, 0.7)]
    assert torch.equal(torch.as_tensor(item["pred"]), torch.as_tensor(values))


def test_disagreement_is_split_off() -> None:
    both = torch.randn(2, 3, 5, 6)
    item = SplitDisagreementd("pred")({"pred": both, "start": 4})
    assert torch.equal(item["pred"], both[:1])
    assert torch.equal(item["uncertainty"], both[1:])
    assert item["start"] == 4

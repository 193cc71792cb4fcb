"""The error of the expected Dice, slice by slice, against sums over their voxels."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from custom.metrics import ExpectedDiceError, Temperature


def slices(number: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits that are twice as sure as they should be, and labels."""
    generator = torch.Generator().manual_seed(3)
    fair = 3 * torch.randn(number, 1, 40, 50, generator=generator) - 2
    label = (torch.rand(fair.shape, generator=generator) < fair.sigmoid()).long()
    label[:, :, :4] = 255
    return 2 * fair, label


def test_against_voxels() -> None:
    logits, label = slices(5)
    metric, temperature = ExpectedDiceError(), Temperature()
    for one, other in zip(logits, label, strict=True):
        metric([one], [other])
        temperature([one], [other])
    missed = []
    for one, other in zip(logits, label, strict=True):
        known = other != 255
        p, y = (one[known].double() / temperature.aggregate()).sigmoid(), other[known] == 1
        m = one[known] >= 0
        missed.append(float(2 * (m & y).sum() / (m.sum() + y.sum()) - 2 * p[m].sum() / (p.sum() + m.sum())))
    assert float(metric.aggregate()) == pytest.approx(np.sqrt(np.mean(np.square(missed))), abs=2e-4)
    assert 0 < float(metric.aggregate()) < 0.1


def test_slices_without_lithium_and_several_channels_do_not_count() -> None:
    metric = ExpectedDiceError()
    metric(torch.full((1, 1, 8, 8), -5.0), torch.zeros(1, 1, 8, 8))
    assert torch.isnan(metric.aggregate())
    several = ExpectedDiceError()
    several(torch.zeros(2, 3, 8, 8), torch.ones(2, 1, 8, 8))
    assert torch.isnan(several.aggregate())

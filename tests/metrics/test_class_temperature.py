"""The temperature of several classes against torch's cross-entropy and the one of a single channel."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from custom.metrics import Temperature
from custom.metrics.class_temperature import fit_class_temperature, slopes
from custom.metrics.temperature import fit_temperature, logit_histogram


def voxels(scale: float, n: int = 20_000, channels: int = 4, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits (C, N) that are `scale` times what they should be, and labels drawn by what they should be."""
    draw = torch.Generator().manual_seed(seed)
    true = 2 * torch.randn(channels, n, generator=draw)
    true[0] += 1.0
    return scale * true, torch.multinomial(true.softmax(0).T, 1, generator=draw)[:, 0].to(torch.uint8)


@pytest.mark.parametrize("scale", [0.11, 0.5, 1.0, 2.5, 9.0])
def test_temperature_is_the_minimum_of_torchs_cross_entropy(scale: float) -> None:
    logits, label = voxels(scale, seed=3)
    logits[1] += 0.4 * scale  # no temperature is right
    tried = scale * np.exp(np.linspace(math.log(0.7), math.log(2), 150))
    losses = [float(cross_entropy(logits.double().T / t, label.long())) for t in tried]
    assert fit_class_temperature(slopes(logits, label)) == pytest.approx(tried[int(np.argmin(losses))], rel=0.008)


def test_two_channels_are_one() -> None:
    """softmax of (0, z) is the sigmoid of z."""
    logits, label = voxels(1.7, channels=2)
    one = fit_temperature(logit_histogram(logits[1] - logits[0], label))
    assert fit_class_temperature(slopes(logits, label)) == pytest.approx(one, rel=0.003)


def test_unlabelled_voxels_do_not_count_and_slices_of_any_size_add_up() -> None:
    logits, label = voxels(2.0)
    metric = Temperature(channels=4)
    spoilt = torch.cat([logits, logits[[3, 2, 1, 0]]], dim=1).reshape(4, 400, 100)
    kept = torch.cat([label, torch.full_like(label, 255)]).reshape(1, 400, 100)
    for rows in (slice(0, 70), slice(70, 300), slice(300, 400)):
        metric(y_pred=[spoilt[:, rows]], y=[kept[:, rows]])
    assert float(metric.aggregate()) == pytest.approx(fit_class_temperature(slopes(logits, label)), rel=1e-6)
    assert metric.get_buffer().shape == (4, 33 + 4)  # whatever the size of a slice
    metric.reset()
    assert float(metric.aggregate()) == 1.0


@pytest.mark.parametrize("value", [0, 2, 255])
def test_one_label_alone_leaves_the_logits(value: int) -> None:
    logits, label = voxels(2.0, n=100)
    assert fit_class_temperature(slopes(logits, torch.full_like(label, value))) == 1.0


@pytest.mark.parametrize(("sign", "end"), [(1, 0.05), (-1, 20.0)])
def test_logits_that_are_always_right_or_wrong_give_the_ends(sign: int, end: float) -> None:
    logits, _ = voxels(1.0, n=500)
    assert fit_class_temperature(slopes(logits, (sign * logits).argmax(0))) == end


def test_a_logit_out_of_reach_is_one_voxel_of_many() -> None:
    logits, label = voxels(2.0)
    before = fit_class_temperature(slopes(logits, label))
    logits[label[0].long(), 0] = -1e30  # far below the highest of a voxel's, where its label says it is
    assert before < fit_class_temperature(slopes(logits, label)) < 1.5 * before

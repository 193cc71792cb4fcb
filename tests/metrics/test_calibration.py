"""Reliability bins, calibration error and temperature against hand-made numbers, torch and an optimiser of its own."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from custom.metrics.reliability import calibration_error, reliability_bins, reliability_table
from custom.metrics.temperature import Temperature, fit_temperature, logit_histogram


def voxels(scale: float, n: int = 200_000, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits (1, Y, X) that are `scale` times what they should be, and labels drawn by what they should be."""
    draw = torch.Generator().manual_seed(seed)
    true = 3 * torch.randn(1, n // 100, 100, generator=draw)
    label = (torch.rand(true.shape, generator=draw) < torch.sigmoid(true)).to(torch.uint8)
    return scale * true, label


def test_bins_are_those_of_numpy_and_leave_out_unlabelled_voxels() -> None:
    draw = np.random.default_rng(0)
    p, y = draw.random((3, 40, 50)), draw.integers(0, 2, (3, 40, 50))
    y[:, :7] = 255
    bins = reliability_bins(torch.from_numpy(p), torch.from_numpy(y), bins=10).numpy()
    kept = y != 255
    edges = np.linspace(0, 1, 11)
    np.testing.assert_array_equal(bins[:, 0], np.histogram(p[kept], edges)[0])
    np.testing.assert_allclose(bins[:, 1], np.histogram(p[kept], edges, weights=p[kept])[0], rtol=1e-5)
    np.testing.assert_allclose(bins[:, 2], np.histogram(p[kept], edges, weights=y[kept])[0], rtol=1e-6)


def test_calibration_error_by_hand() -> None:
    # 4 voxels at 0.1 of which 1 is lithium, 6 at 0.9 of which 3 are: (4 * 0.15 + 6 * 0.4) / 10
    p = torch.tensor([0.1] * 4 + [0.9] * 6)
    y = torch.tensor([1, 0, 0, 0, 1, 1, 1, 0, 0, 0])
    bins = reliability_bins(p, y)
    assert calibration_error(bins) == pytest.approx(0.30, abs=1e-6)
    low, high = reliability_table(bins)
    assert (low["voxels"], high["voxels"]) == (4, 6)
    assert (low["lithium_share"], high["lithium_share"]) == (0.25, 0.5)
    assert high["mean_probability"] == pytest.approx(0.9)
    assert low["from"] <= 0.1 <= low["to"]


def test_bins_of_slices_add_up() -> None:
    logits, label = voxels(1.0)
    p = torch.sigmoid(logits)
    parts = sum(reliability_bins(p[:, i::2], label[:, i::2]) for i in range(2))
    torch.testing.assert_close(parts, reliability_bins(p, label), rtol=1e-5, atol=1e-3)


def test_more_voxels_than_float32_counts() -> None:
    p = torch.full((2**24 + 2**20,), 0.2)
    assert reliability_bins(p, torch.zeros_like(p))[:, 0].sum() == len(p)


def test_nothing_labelled_has_no_calibration_error() -> None:
    assert calibration_error(reliability_bins(torch.rand(5), torch.full((5,), 255))) is None


def test_shapes_that_differ_are_refused() -> None:
    with pytest.raises(ValueError, match=r"share one shape.*\(4,\).*\(5,\)"):
        reliability_bins(torch.rand(4), torch.zeros(5))


@pytest.mark.parametrize("scale", [0.5, 1.0, 2.5])
def test_temperature_undoes_a_scale(scale: float) -> None:
    logits, label = voxels(scale)
    metric = Temperature()
    metric(y_pred=[logits], y=[label])
    found = float(metric.aggregate())
    assert found == pytest.approx(scale, rel=0.02)
    assert calibration_error(reliability_bins(torch.sigmoid(logits / found), label)) == pytest.approx(0.0, abs=0.004)


def test_temperature_is_the_minimum_of_torchs_cross_entropy() -> None:
    logits, label = voxels(1.7, seed=3)
    logits = logits + 0.4  # no temperature is right
    target = label.float()
    tried = np.exp(np.linspace(math.log(0.5), math.log(4), 400))
    losses = [float(binary_cross_entropy_with_logits(logits / t, target)) for t in tried]
    assert fit_temperature(logit_histogram(logits, label)) == pytest.approx(tried[int(np.argmin(losses))], rel=0.01)


def test_unlabelled_voxels_do_not_count() -> None:
    logits, label = voxels(2.0)
    spoilt = torch.cat([logits, -logits], dim=1)
    kept = torch.cat([label, torch.full_like(label, 255)], dim=1)
    assert fit_temperature(logit_histogram(spoilt, kept)) == fit_temperature(logit_histogram(logits, label))


@pytest.mark.parametrize("value", [0, 1, 255])
def test_one_class_alone_leaves_the_logits(value: int) -> None:
    assert fit_temperature(logit_histogram(torch.randn(100), torch.full((100,), value))) == 1.0


def test_logits_out_of_reach_are_counted() -> None:
    found = logit_histogram(torch.tensor([-1e20, 1e20, 3.0]), torch.tensor([0, 1, 1]))
    assert found.sum(dim=1).tolist() == [1, 2] and found[0, 0] == found[1, -1] == 1


def test_slices_of_several_sizes_and_a_reset() -> None:
    logits, label = voxels(2.0)
    metric = Temperature()
    for part in (slice(0, 700), slice(700, 2000)):
        metric(y_pred=[logits[:, part]], y=[label[:, part]])
    assert float(metric.aggregate()) == fit_temperature(logit_histogram(logits, label))
    metric.reset()
    assert float(metric.aggregate()) == 1.0

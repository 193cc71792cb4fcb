"""The blends of networks that tell several classes apart, against a loop over the metric that evaluation uses."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from custom.metrics import (
    PatchOverlap,
    blend_counts,
    block_ratios,
    choose,
    intervals,
    overlap_scores,
    score_intervals,
    simplex,
)

NAMES = ("pit", "dendrite", "impurity")


def slices(count: int, size: tuple[int, int] = (70, 90), noise: float = 3.0) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Three members that see the same blocks, each with noise of its own; some voxels are unlabelled."""
    draw = torch.Generator().manual_seed(0)
    found = []
    for _ in range(count):
        coarse = torch.randint(0, 4, (-(-size[0] // 10), -(-size[1] // 10)), generator=draw)
        label = coarse.repeat_interleave(10, 0).repeat_interleave(10, 1)[: size[0], : size[1]].clone()
        logits = noise * torch.randn(3, 4, *size, generator=draw) + 3 * torch.nn.functional.one_hot(label).movedim(
            -1, 0
        )
        label[:20, :30] = 255
        found.append((torch.softmax(logits, dim=1), label.to(torch.uint8)))
    return found


def test_counts_give_the_scores_of_a_loop_over_the_metric(monkeypatch: pytest.MonkeyPatch) -> None:
    pairs, weights = slices(3), simplex()
    whole = blend_counts(pairs, weights, patch=32)
    assert whole.shape == (66, 27, 3, 4)
    for combination in (0, 30, 51):
        metric = PatchOverlap(32, NAMES)
        for probabilities, label in pairs:
            blend = np.einsum("m,mcyx->cyx", weights[combination], probabilities.double().numpy())
            metric(torch.as_tensor(blend.argmax(0))[None, None], label[None, None])
        assert torch.equal(whole[combination], metric.get_buffer())
    assert 0.2 < (overlap_scores(whole[30, :, 0])["dsc_d"] or 0) < 0.9
    monkeypatch.setattr("custom.metrics.class_blends.PIECE", 40000)  # several pieces
    assert torch.equal(blend_counts(pairs, weights, patch=32), whole)


def test_the_best_blend_is_that_of_the_highest_mean_over_the_classes() -> None:
    pairs, weights = slices(4, noise=2.0), simplex()
    counts = blend_counts(pairs, weights, patch=32)
    blocks = np.arange(counts.shape[1]) // 9
    best = choose(counts, weights, blocks, "iou_a")
    means = [np.mean([overlap_scores(row[:, i])["iou_a"] or 0 for i in range(3)]) for row in counts]
    assert best.value == pytest.approx(max(means))
    assert np.allclose(best.weights, weights[int(np.argmax(means))])
    low, high = best.interval
    assert low < best.value < high
    assert len(best.within) == sum(low <= mean <= high for mean in means)


def test_the_interval_of_a_mean_of_equal_classes_is_that_of_each() -> None:
    counts = torch.tensor(np.random.default_rng(0).integers(1, 50, (24, 1, 4))).repeat(1, 3, 1)
    blocks = np.arange(24) // 4
    alone = {
        name: (float(low), float(high)) for name, (low, high) in intervals(block_ratios(counts[:, 0], blocks)).items()
    }
    for name, ends in score_intervals(counts, blocks).items():
        assert ends == pytest.approx(alone[name])
        assert score_intervals(counts[:, 0], blocks)[name] == alone[name]


def test_the_interval_of_a_mean_is_that_of_the_means_of_the_draws() -> None:
    counts = torch.tensor(np.random.default_rng(1).integers(1, 50, (24, 3, 4)))
    drawn = np.random.default_rng(0).multinomial(6, np.full(6, 1 / 6), size=2000)
    means = []
    for draw in drawn[:, np.arange(24) // 4]:
        tp, fp, fn, _ = np.einsum("t,tkc->ck", draw, counts.numpy())
        means.append(np.mean(2 * tp / (2 * tp + fp + fn)))
    found = score_intervals(counts, np.arange(24) // 4)["dsc_d"]
    assert found == pytest.approx(tuple(np.percentile(means, [2.5, 97.5])))

"""E-Net's search against a loop over the metric that evaluation uses, and its speed."""

from __future__ import annotations

import time

import numpy as np
import pytest
import torch

from custom.base.errors import BadInput
from custom.metrics import PatchOverlap, blend_counts, choose, full_cube, overlap_scores, search_report, simplex

Slices = list[tuple[torch.Tensor, torch.Tensor]]


def members(count: int, size: tuple[int, int], unlabelled: bool = True, seed: int = 0) -> Slices:
    """Slices with three members that see the same blobs, each with noise of its own; some tiles are empty."""
    draw = torch.Generator().manual_seed(seed)
    pairs: Slices = []
    for i in range(count):
        rough = torch.nn.functional.avg_pool2d(torch.randn(1, *size, generator=draw), 9, 1, 4)[0] * 9
        label = ((rough > 1.2) & (i % 4 > 0)).to(torch.uint8)
        noise = torch.randn(3, *size, generator=draw) * torch.tensor([0.8, 1.2, 1.0])[:, None, None]
        logits = torch.where(label == 1, 1.5, -2.0) + noise
        if unlabelled:
            label[: size[0] // 3, : size[1] // 4] = 255
        pairs.append((torch.sigmoid(logits), label))
    return pairs


@pytest.mark.parametrize("seed", range(3))
def test_counts_give_the_scores_of_a_loop_over_the_metric(seed: int) -> None:
    slices = members(6, (150, 270), seed=seed)
    weights = simplex()
    combination = int(np.random.default_rng(seed).integers(len(weights)))
    metric = PatchOverlap()
    for probabilities, label in slices:
        blend = sum(share * p.double() for share, p in zip(weights[combination], probabilities, strict=True))
        metric(torch.as_tensor(blend >= 0.5)[None, None].int(), label[None, None])
    found = overlap_scores(blend_counts(slices, weights)[combination])
    expected = metric.scores()
    assert expected["n_empty"] and 0.1 < (expected["dsc_d"] or 0) < 0.99
    assert found == pytest.approx(expected, abs=1e-12)


def test_three_members_have_66_and_1330_combinations() -> None:
    assert simplex().shape == (66, 3)
    weights, tried = full_cube()
    assert tried == 1330
    assert np.allclose(weights.sum(axis=1), 1) and len(np.unique(weights.round(9), axis=0)) == len(weights)
    assert all(np.isclose(weights, row).all(axis=1).any() for row in simplex())
    assert np.isclose(weights, [1 / 3, 2 / 3, 0]).all(axis=1).any()  # a mixture that the simplex has not


def test_the_best_blend_is_found_with_how_flat_it_is() -> None:
    """One member sees the truth, another its opposite, so that the best blends are those that the first one rules."""
    label = (torch.rand(256, 256, generator=torch.Generator().manual_seed(1)) < 0.3).to(torch.uint8)
    good = torch.where(label == 1, 0.9, 0.1)
    wrong = torch.where(label == 1, 0.15, 0.85)
    slices = [(torch.stack([good, wrong, torch.full_like(good, 0.41)]), label)] * 8
    weights = simplex()
    best = choose(blend_counts(slices, weights), weights, np.arange(32) // 4, "iou_a")
    assert best.weights == [1.0, 0.0, 0.0] and best.value == 1.0  # of equals the one with the fewest members
    on_lithium, elsewhere = np.array([0.9, 0.15, 0.41]), np.array([0.1, 0.85, 0.41])
    right = [row for row in weights if row @ on_lithium > 0.5 > row @ elsewhere]
    assert 10 < len(right) < 60
    assert sorted(best.within) == sorted([round(float(x), 10) for x in row] for row in right)
    told = search_report(best, ["U", "Y", "T"])
    assert told["blend"] == {"U": 1.0, "Y": 0.0, "T": 0.0} and told["within_interval"] == len(right)
    assert told["range_within"]["U"] == [pytest.approx(min(r[0] for r in right)), 1.0]


def test_nothing_labelled_is_refused() -> None:
    slices = [(torch.rand(3, 64, 64), torch.full((64, 64), 255, dtype=torch.uint8))]
    with pytest.raises(BadInput, match="no labelled voxel"):
        choose(blend_counts(slices, simplex()), simplex(), np.zeros(0, dtype=np.int64), "iou_a")


def test_66_blends_of_443_patches_take_less_than_two_seconds() -> None:
    some = members(16, (128, 128), unlabelled=False)
    slices = [some[i % len(some)] for i in range(443)]
    start = time.process_time()
    counts = blend_counts(slices, simplex())
    for row in counts:
        overlap_scores(row)
    assert counts.shape == (66, 443, 4)
    assert time.process_time() - start < 2

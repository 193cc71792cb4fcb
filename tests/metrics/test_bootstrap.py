"""Bootstrap intervals against a loop and against the normal approximation."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from custom.metrics import SCORES, block_ratios, intervals, overlap_scores, z_blocks


def tiles(count: int, seed: int = 0) -> torch.Tensor:
    draw = np.random.default_rng(seed)
    counts = draw.integers(1, 200, (count, 4))
    counts[::5, 0] = counts[::5, 2] = 0  # tiles without lithium
    counts[::10, 1] = 0
    return torch.as_tensor(counts)


def test_blocks_are_neighbouring_slices_of_one_stack() -> None:
    places = [("a", z) for z in range(3, 21)] + [("b", z) for z in range(5)]
    assert z_blocks(places).tolist() == [0] * 8 + [1] * 8 + [2] * 2 + [3] * 5


def test_ratios_are_the_scores() -> None:
    counts = tiles(40)
    expected = overlap_scores(counts)
    for name, (above, below) in block_ratios(counts, np.arange(40) // 4).items():
        assert above.sum() / below.sum() == pytest.approx(expected[name], abs=1e-12), name


def test_an_interval_is_that_of_resampled_tiles() -> None:
    counts, blocks = tiles(60), np.arange(60) // 6
    found = intervals(block_ratios(counts, blocks), resamples=400, seed=3)
    draws = np.random.default_rng(3).multinomial(10, np.full(10, 0.1), size=400)
    loop = [
        overlap_scores(torch.cat([counts[np.flatnonzero(blocks == b)] for b in range(10) for _ in range(draw[b])]))
        for draw in draws
    ]
    assert set(found) == set(SCORES)
    for name, (low, high) in found.items():
        assert [low, high] == pytest.approx(np.percentile([s[name] for s in loop], [2.5, 97.5]), abs=1e-12), name


def test_a_mean_of_many_tiles_has_the_interval_of_the_normal_approximation() -> None:
    counts = tiles(2000)
    low, high = intervals(block_ratios(counts, np.arange(2000)))["dsc_a"]
    tp, fp, fn, _ = counts.double().unbind(1)
    scores = torch.where(tp + fp + fn == 0, 1.0, 2 * tp / (2 * tp + fp + fn))
    mean, half = scores.mean().item(), 1.96 * scores.std().item() / 2000**0.5
    assert [low, high] == pytest.approx([mean - half, mean + half], abs=0.15 * half)


def test_no_lithium_at_all() -> None:
    counts = torch.tensor([[0, 0, 0, 9]] * 4)
    found = intervals(block_ratios(counts, np.arange(4)))
    assert found["dsc_d"] == (1.0, 1.0) and np.isnan(found["dsc_b"][0])

"""Surrounds drawn into training patches."""

from __future__ import annotations

import numpy as np
import torch

from custom.transforms import RandSurroundd


def patches(prob: float, count: int = 200) -> list[dict[str, torch.Tensor]]:
    draw = RandSurroundd("image", prob=prob).set_random_state(seed=0)
    return [draw({"image": torch.full((1, 64, 64), 0.7), "label": torch.ones(1, 64, 64)}) for _ in range(count)]  # type: ignore[misc]


def test_what_was_covered_is_background_and_nothing_else() -> None:
    shares, black = [], 0
    for item in patches(1.0):
        covered = item["image"] != 0.7
        assert torch.equal(item["label"] == 0, covered)
        shares.append(covered.double().mean().item())
        black += bool(covered.any()) and item["image"][covered].mean().item() < 0.05
    assert 0.35 < np.mean(shares) < 0.65 and min(shares) < 0.2 and max(shares) > 0.8
    assert 120 <= black <= 160  # two of three


def test_the_share_of_patches_and_the_unlabelled() -> None:
    changed = sum(bool((item["label"] == 0).any()) for item in patches(0.1, 1000))
    assert 70 <= changed <= 130
    draw = RandSurroundd("image", prob=1.0).set_random_state(seed=1)
    item = draw({"image": torch.ones(1, 64, 64), "label": torch.full((1, 64, 64), 255)})
    assert (item["label"] == 255).all()

"""A step's patches and targets, the boxes of CutMix beside MONAI's, and the ramp."""

from __future__ import annotations

import math
import warnings
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from monai.transforms import CutMix
from torch import nn

from custom.consistency import BoxMix, ClassThresholds, PseudoLabels, RampUp

SIDE = 24


def batch(count: int = 8) -> dict[str, torch.Tensor]:
    torch.manual_seed(1)
    label = (torch.rand(count, 1, SIDE, SIDE) > 0.5).to(torch.uint8)
    image = torch.rand(count, 1, SIDE, SIDE)
    weak = (torch.rand(count, 1, SIDE, SIDE) > 0.7).float()
    known = torch.zeros(count, 1, SIDE, SIDE, dtype=torch.uint8)
    known[:, :, :4] = 255
    strong = weak + 10 * (1 + torch.arange(count)).reshape(-1, 1, 1, 1)  # which patch a voxel came from is seen
    found = {"image": weak, "strong": strong, "label": known, "scan": 100 + torch.arange(count)}
    return {"image": image, "label": label, "scan": torch.arange(count)} | {
        f"unlabelled_{key}": value for key, value in found.items()
    }


class Grey(nn.Module):
    """Finds lithium where the grey value is above a half, and is equally sure everywhere."""

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        assert not torch.is_grad_enabled()
        return torch.where(image > 0.5, 3.0, -3.0)


def prepared(weight: float = 1.0, mixing: BoxMix | None = None) -> tuple[torch.Tensor, torch.Tensor]:
    ramp: Any = SimpleNamespace(weight=weight)
    labels = PseudoLabels(Grey(), lambda inputs, network: network(inputs), ClassThresholds(), ramp, mixing=mixing)
    return labels(batch(), torch.device("cpu"))


def test_labels_and_pseudo_labels_stand_beside_each_other() -> None:
    given = batch()
    image, target = prepared()
    assert torch.equal(image[:4], given["image"][:4]) and torch.equal(image[4:], given["unlabelled_strong"][:4])
    assert torch.equal(target[:4, :1], given["label"][:4].float()) and bool((target[:4, 1:] == 255).all())
    assert bool((target[4:, :1] == 255).all()) and bool((target[4:, 1:, :4] == 255).all())
    assert torch.equal(target[4:, 1:, 4:], given["unlabelled_image"][:4, :, 4:])


def test_the_scans_are_those_of_the_step() -> None:
    given, ramp = batch(), SimpleNamespace(weight=1.0)
    labels = PseudoLabels(Grey(), lambda inputs, network: network(inputs), ClassThresholds(), ramp, part=0.25)
    labels(given, torch.device("cpu"))
    assert given["scan"].tolist() == [0, 1, 2, 3, 4, 5, 100, 101]


def test_without_weight_there_are_labels_alone() -> None:
    image, target = prepared(weight=0.0)
    assert len(image) == len(target) == 8 and bool((target[:, 1] == 255).all())


def test_a_mixed_voxel_keeps_its_own_pseudo_label() -> None:
    """Wherever a voxel comes from: its grey value says from which patch, and whether that has lithium there."""
    torch.manual_seed(5)
    image, target = prepared(mixing=BoxMix(batch_size=1))
    strong, found = image[4:], target[4:, 1:]
    own = 10 * (1 + torch.arange(4)).reshape(-1, 1, 1, 1)
    assert bool(((strong - own).abs() > 5).any())  # something is mixed
    assert torch.equal(found[:, :, 4:], (strong % 10)[:, :, 4:])


def test_what_is_mixed_depends_on_torchs_random_state_alone() -> None:
    mixing = BoxMix(batch_size=4)
    found = []
    for seed in (3, 3, 4):
        torch.manual_seed(seed)
        state = torch.get_rng_state()
        given = batch()
        torch.set_rng_state(state)
        ramp: Any = SimpleNamespace(weight=1.0)
        labels = PseudoLabels(Grey(), lambda inputs, network: network(inputs), ClassThresholds(), ramp, mixing=mixing)
        found.append(labels(given)[0])
    assert torch.equal(found[0], found[1]) and not torch.equal(found[0], found[2])


def test_boxes_are_those_of_monais_cutmix() -> None:
    data = torch.rand(6, 2, 20, 30)
    theirs, ours = CutMix(6), BoxMix(6)
    for seed in range(5):
        theirs.set_random_state(seed)
        ours.set_random_state(seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = torch.as_tensor(theirs(data))
        assert torch.allclose(torch.as_tensor(ours(data)), expected)
    with pytest.raises(ValueError, match="a batch of 6 was drawn for, got 2"):
        ours.apply(data[:2])


def test_the_ramp() -> None:
    budget = SimpleNamespace(now=0.0)
    ramp = RampUp(budget, start=0.2, length=0.4, highest=2.0)
    expected = {0.0: 0.0, 0.19: 0.0, 0.2: 2 * math.exp(-5), 0.4: 2 * math.exp(-1.25), 0.6: 2.0, 1.0: 2.0}
    for progress, weight in expected.items():
        budget.now = progress
        assert ramp.weight == pytest.approx(weight)

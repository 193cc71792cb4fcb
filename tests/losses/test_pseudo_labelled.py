"""The loss of labels and pseudo-labels, beside the loss of each by itself."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from custom.losses import NamedLoss, WithPseudoLabels


def parts() -> tuple[torch.Tensor, torch.Tensor]:
    """Logits of five patches: two labelled, one of them in part, two pseudo-labelled, one without any."""
    torch.manual_seed(0)
    logits = torch.randn(5, 1, 8, 8, requires_grad=True)
    target = torch.full((5, 2, 8, 8), 255.0)
    target[:2, 0] = (torch.rand(2, 8, 8) > 0.5).float()
    target[1, 0, :3] = 255
    target[2:4, 1] = (torch.rand(2, 8, 8) > 0.5).float()
    target[3, 1, :4] = 255
    return logits, target


@pytest.mark.parametrize("name", ["dice_bce", "focal_tversky"])
def test_against_the_parts(name: str) -> None:
    logits, target = parts()
    ramp: Any = SimpleNamespace(weight=0.5)
    loss = WithPseudoLabels(NamedLoss(name), NamedLoss("bce"), ramp)
    share = (64 + 32) / (3 * 64)  # of three patches without labels
    labels = NamedLoss(name)(logits[:2], target[:2, :1])
    expected = labels + 0.5 * share * NamedLoss("bce")(logits[2:4], target[2:4, 1:])
    assert loss(logits, target).item() == pytest.approx(expected.item())
    ramp.weight = 0.0
    assert loss(logits, target).item() == pytest.approx(labels.item())
    assert float(loss(logits[:2], target[:2, :1])) == pytest.approx(float(labels)) and loss.name == name


def test_no_voxel_of_another_kind_has_a_gradient() -> None:
    logits, target = parts()
    ramp: Any = SimpleNamespace(weight=1.0)
    WithPseudoLabels(NamedLoss(), NamedLoss("bce"), ramp)(logits, target).backward()
    assert logits.grad is not None
    moved = logits.grad[:, 0] != 0
    assert torch.equal(moved, (target != 255).any(1))


def test_where_nothing_is_sure_there_is_a_loss_all_the_same() -> None:
    logits, target = parts()
    target[:, 1] = 255
    ramp: Any = SimpleNamespace(weight=1.0)
    loss = WithPseudoLabels(NamedLoss(), NamedLoss("bce"), ramp)
    assert float(loss(logits, target)) == pytest.approx(float(NamedLoss()(logits[:2], target[:2, :1])))
    target[2:, 1] = 0  # nor where background is all there is
    assert loss(logits, target).item() == pytest.approx(NamedLoss()(logits[:2], target[:2, :1]).item())
    target[:] = 255
    found = loss(logits, target)
    found.backward()
    assert float(found) == 0.0

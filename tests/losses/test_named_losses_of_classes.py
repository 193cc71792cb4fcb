"""The losses of several classes against their equations in numpy."""

import numpy as np
import pytest
import torch
from scipy.special import log_softmax
from torch import Tensor

from custom.losses import NamedLoss
from custom.losses.named import NAMES

MISS = 0.8
CLASSES = 3


def batch(unlabelled: float = 0.3) -> tuple[Tensor, Tensor]:
    """Logits (3, 4, 16, 12) and float targets in {0, 1, 2, 3, 255}; the last image is background alone."""
    rng = np.random.default_rng(7)
    logits = torch.from_numpy(rng.normal(0, 2, (3, 1 + CLASSES, 16, 12))).float().requires_grad_()
    target = rng.choice([0, 1, 2, 3], (3, 1, 16, 12), p=[0.6, 0.25, 0.1, 0.05]).astype(np.float32)
    target[2] = 0
    target[rng.random(target.shape) < unlabelled] = 255
    return logits, torch.from_numpy(target)


def by_hand(name: str, logits: np.ndarray, target: np.ndarray) -> float:
    """The equations of `NamedLoss`, a voxel and a class at a time, in float64."""
    voxels = [
        (z, int(t)) for z, t in zip(np.moveaxis(logits, 1, -1).reshape(-1, 1 + CLASSES), target.flat, strict=True)
    ]
    known = [(log_softmax(z.astype(np.float64)), t) for z, t in voxels if t != 255]
    cross_entropy = -sum(log_p[t] for log_p, t in known) / len(known)
    dice, index = [], []
    for k in range(1, 1 + CLASSES):
        tp = sum(np.exp(log_p[k]) for log_p, t in known if t == k)
        fp = sum(np.exp(log_p[k]) for log_p, t in known if t != k)
        fn = sum(1 - np.exp(log_p[k]) for log_p, t in known if t == k)
        dice.append(1 - 2 * tp / (2 * tp + fp + fn))
        index.append(1 - tp / (tp + (1 - MISS) * fp + MISS * fn))
    match name:
        case "dice_bce":
            return float(np.mean(dice) + cross_entropy)
        case "bce":
            return float(cross_entropy)
        case "balanced_bce":
            return float(-sum((MISS if t else 1 - MISS) * log_p[t] for log_p, t in known) / len(known))
        case "tversky":
            return float(np.mean(index))
        case _:
            return float(np.mean(np.array(index) ** (4 / 3)))


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_equals_the_equation_of_several_classes(name: str, half: bool) -> None:
    logits, target = batch()
    logits = logits.detach().bfloat16() if half else logits.detach()
    loss = NamedLoss(name, miss_weight=MISS)(logits, target)
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(by_hand(name, logits.float().numpy(), target.numpy()), rel=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_unlabelled_voxels_have_no_part(name: str) -> None:
    logits, target = batch()
    loss = NamedLoss(name)(logits, target)
    loss.backward()
    assert logits.grad is not None
    unlabelled = (target == 255).expand_as(logits)
    assert (logits.grad[unlabelled] == 0).all()
    assert (logits.grad[~unlabelled] != 0).all()  # the image of background alone included
    wild = logits.detach().clone()
    wild[unlabelled] = float("nan")
    assert torch.equal(NamedLoss(name)(wild, target), loss)
    nothing = NamedLoss(name)(logits, torch.full_like(target, 255))
    assert nothing.item() == 0 and nothing.requires_grad


@pytest.mark.parametrize("name", NAMES)
def test_a_perfect_prediction_costs_nothing_and_saturated_logits_are_finite(name: str) -> None:
    _, target = batch(unlabelled=0.0)
    perfect = 40.0 * torch.nn.functional.one_hot(target[:, 0].long(), 1 + CLASSES).movedim(-1, 1).float()
    loss = NamedLoss(name)
    assert loss(perfect, target).item() == pytest.approx(0, abs=1e-5)
    wrong = (-250 * perfect).requires_grad_()
    found = loss(wrong, target.byte())
    found.backward()
    assert found.isfinite() and wrong.grad is not None and wrong.grad.isfinite().all()


def test_background_is_no_class_of_an_overlap() -> None:
    """Logits that take class 1 for background: the share of right background changes no Tversky index of the others."""
    target = torch.tensor([0.0, 0.0, 0.0, 1.0]).reshape(1, 1, 2, 2)
    logits = 40.0 * torch.eye(3)[[0, 0, 0, 2]].T.reshape(1, 3, 2, 2)
    loss = NamedLoss("tversky")(logits, target)
    assert loss.item() == pytest.approx(1.0, abs=1e-4)  # class 1 missed, class 2 a false alarm


def test_refuses_a_target_of_another_shape() -> None:
    with pytest.raises(ValueError, match=r"but for the channels.*\(2, 3, 4, 4\) and \(2, 3, 4, 4\)"):
        NamedLoss()(torch.zeros(2, 3, 4, 4), torch.zeros(2, 3, 4, 4))

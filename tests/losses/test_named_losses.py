import numpy as np
import pytest
import torch
from monai.bundle import ConfigParser
from monai.data import MetaTensor, list_data_collate
from monai.losses import DiceLoss
from scipy.special import expit
from torch import Tensor
from torch.nn import functional as F

from custom.losses import LabelledOnly, NamedLoss
from custom.losses.named import NAMES

MISS = 0.8


def batch(unlabelled: float = 0.3) -> tuple[Tensor, Tensor]:
    """Logits (3, 1, 16, 12) and float targets in {0, 1, 255}; the last image has no lithium."""
    rng = np.random.default_rng(7)
    logits = torch.from_numpy(rng.normal(0, 2, (3, 1, 16, 12))).float().requires_grad_()
    target = (rng.random((3, 1, 16, 12)) < 0.2).astype(np.float32)
    target[2] = 0
    target[rng.random(target.shape) < unlabelled] = 255
    return logits, torch.from_numpy(target)


def by_hand(name: str, logits: np.ndarray, target: np.ndarray) -> float:
    """The study's equations 1 to 4, and Dice + cross-entropy, over the labelled voxels, in float64."""
    known = target != 255
    p, t = expit(logits[known].astype(np.float64)), target[known].astype(np.float64)
    cross_entropy = float(-np.mean(t * np.log(p) + (1 - t) * np.log(1 - p)))
    match name:
        case "dice_bce":
            return float(1 - 2 * (t * p).sum() / (t + p).sum()) + cross_entropy
        case "bce":
            return cross_entropy
        case "balanced_bce":
            return float(-np.mean(MISS * t * np.log(p) + (1 - MISS) * (1 - t) * np.log(1 - p)))
        case _:
            tp, fp, fn = (t * p).sum(), ((1 - t) * p).sum(), (t * (1 - p)).sum()
            loss = 1 - tp / (tp + (1 - MISS) * fp + MISS * fn)
            return float(loss if name == "tversky" else loss ** (4 / 3))


@pytest.mark.parametrize("name", NAMES)
def test_equals_the_equation(name: str) -> None:
    logits, target = batch()
    expected = by_hand(name, logits.detach().numpy(), target.numpy())
    assert NamedLoss(name, miss_weight=MISS)(logits, target).item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_unlabelled_voxels_have_no_part(name: str) -> None:
    logits, target = batch()
    loss = NamedLoss(name)(logits, target)
    loss.backward()
    assert logits.grad is not None
    unlabelled = target == 255
    assert (logits.grad[unlabelled] == 0).all()
    assert (logits.grad[~unlabelled] != 0).all()  # the image without lithium included
    wild = logits.detach().clone()
    wild[unlabelled] = float("nan")
    assert torch.equal(NamedLoss(name)(wild, target), loss)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_labelled_gives_zero_loss_and_gradient(name: str) -> None:
    logits, target = batch(unlabelled=1.0)
    loss = NamedLoss(name)(logits, target)
    loss.backward()
    assert loss.item() == 0
    assert logits.grad is not None
    assert (logits.grad == 0).all()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", [torch.uint8, torch.int64, torch.float16])
def test_target_of_any_type(name: str, dtype: torch.dtype) -> None:
    logits, target = batch()
    assert torch.equal(NamedLoss(name)(logits, target.to(dtype)), NamedLoss(name)(logits, target))


@pytest.mark.parametrize("autocast", [True, False])
@pytest.mark.parametrize("name", NAMES)
def test_computed_in_float32_from_bfloat16_logits(name: str, autocast: bool) -> None:
    logits, target = batch()
    half = logits.detach().bfloat16()
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=autocast):
        loss = NamedLoss(name, miss_weight=MISS)(half, target)
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(by_hand(name, half.float().numpy(), target.numpy()), rel=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_finite_for_saturated_logits(name: str) -> None:
    logits = torch.tensor([-1e4, 1e4, -1e4, 1e4]).reshape(1, 1, 2, 2).requires_grad_()
    loss = NamedLoss(name)(logits, torch.tensor([0, 1, 1, 0]).reshape(1, 1, 2, 2))
    loss.backward()
    assert loss.isfinite()
    assert logits.grad is not None
    assert logits.grad.isfinite().all()


@pytest.mark.parametrize("name", NAMES)
def test_a_perfect_prediction_costs_nothing(name: str) -> None:
    _, target = batch()
    perfect = torch.where(target == 1, 40.0, -40.0)
    assert NamedLoss(name)(perfect, target).item() == pytest.approx(0, abs=1e-5)


def test_balanced_is_a_scaled_positive_weight() -> None:
    logits, target = batch(unlabelled=0.0)
    weight = torch.tensor(MISS / (1 - MISS))
    expected = (1 - MISS) * F.binary_cross_entropy_with_logits(logits, target, pos_weight=weight)
    torch.testing.assert_close(NamedLoss("balanced_bce", miss_weight=MISS)(logits, target), expected)


def test_miss_weight_punishes_missed_lithium() -> None:
    target = torch.tensor([1.0, 1.0, 0.0, 0.0]).reshape(1, 1, 2, 2)
    missed = torch.tensor([5.0, -5.0, -5.0, -5.0]).reshape(1, 1, 2, 2)
    false_alarm = torch.tensor([5.0, 5.0, 5.0, -5.0]).reshape(1, 1, 2, 2)
    for name in NAMES[2:]:
        loss = NamedLoss(name, miss_weight=0.9)
        assert loss(missed, target) > 2 * loss(false_alarm, target)


def test_takes_monais_batches() -> None:
    items = [{"label": MetaTensor(torch.randint(0, 2, (1, 8, 8)))} for _ in range(2)]
    target = list_data_collate(items)["label"]
    logits = torch.randn(2, 1, 8, 8)
    plain = NamedLoss("bce")(logits, target.as_tensor())
    assert NamedLoss("bce")(MetaTensor(logits), target).item() == plain.item()


def test_masks_another_loss_of_monai() -> None:
    logits, target = batch()
    loss = LabelledOnly(DiceLoss(sigmoid=True, batch=True))(logits, target)
    known = target != 255
    p, t = logits.detach().sigmoid()[known], target[known]
    assert loss.item() == pytest.approx(1 - (2 * (p * t).sum() / (p.sum() + t.sum())).item(), rel=1e-4)


def test_built_by_monai_config() -> None:
    config = {"loss": {"_target_": "custom.losses.NamedLoss", "name": "focal_tversky"}}
    assert isinstance(ConfigParser(config).get_parsed_content("loss"), NamedLoss)


def test_refuses_an_unknown_name() -> None:
    with pytest.raises(ValueError, match=f"{', '.join(NAMES)}, got 'dice'"):
        NamedLoss("dice")


@pytest.mark.parametrize("miss_weight", [0.0, 1.0, -1.0])
def test_refuses_a_miss_weight_out_of_range(miss_weight: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        NamedLoss("tversky", miss_weight=miss_weight)


def test_refuses_a_target_of_another_shape() -> None:
    with pytest.raises(ValueError, match="one shape"):
        NamedLoss()(torch.zeros(2, 1, 4, 4), torch.zeros(2, 4, 4))

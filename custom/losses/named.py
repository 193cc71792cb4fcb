"""Losses by name."""

from typing import Any

from monai.losses import DiceCELoss, FocalLoss, TverskyLoss
from torch import Tensor, nn

from custom.losses.labelled import LabelledOnly
from custom.losses.tversky import FocalTverskyLoss

NAMES = ("dice_bce", "bce", "balanced_bce", "tversky", "focal_tversky")


class NamedLoss(LabelledOnly):
    """The bundle's default loss, or one of the four of the study, over the labelled voxels.

    - dice_bce: soft Dice loss, pooled over the batch, plus binary cross-entropy: the default. With cross-entropy alone the
      threshold of the highest Dice is half of that Dice, not 0.5.
    - bce: binary cross-entropy (eq. 3), the study's best.
    - balanced_bce: cross-entropy with weight m on lithium and 1 - m on background (eq. 4, its beta = m).
    - tversky: 1 - TP / (TP + (1 - m) FP + m FN), pooled over the batch (eq. 1, its beta = 1 - m).
    - focal_tversky: the same to the power of 4/3 (eq. 2).

    With p the softmax over the channels, t the channel that a voxel's label names and N labelled voxels, several classes
    have the same losses as follows. An overlap counts the background in no class, for it is most of a slice and easy:

    - dice_bce: mean over the classes k of 1 - 2 sum(p_k [t = k]) / (sum(p_k) + sum([t = k])), plus bce.
    - bce: cross-entropy, -1/N sum(log p_t).
    - balanced_bce: -1/N sum(w_t log p_t), with w = m for every class and 1 - m for background.
    - tversky: mean over the classes of the above, each against all others (FP_k = sum(p_k [t != k]), and so on).
    - focal_tversky: mean over the classes of that to the power of 4/3.

    Source: the equations of Quenum, Zenyuk, Ushizima, J. Imaging 9(6):111, 2023. The threshold: Lipton, Elkan,
    Naryanaswamy, "Optimal Thresholding of Classifiers to Maximize F1 Measure", ECML PKDD 2014.

    Args:
        name: one of the five.
        miss_weight: m in (0, 1), what missed lithium costs against 1 - m for a false alarm; the first two have no use
            for it. The study does not print its value; 0.7 is that of Abraham and Khan (ISBI 2019).

    Raises:
        ValueError: for another name, or a miss_weight outside (0, 1).
    """

    def __init__(self, name: str = "dice_bce", miss_weight: float = 0.7) -> None:
        if not 0.0 < miss_weight < 1.0:
            raise ValueError(f"miss_weight must be between 0 and 1, got {miss_weight}.")
        super().__init__(_build_one(name, miss_weight))
        self.several = _build_several(name, miss_weight)
        self.name = name

    def on_row(self, logits: Tensor, target: Tensor) -> Tensor:
        """One channel is that of one class; of several the first is the background's, the others follow the label values."""
        loss: Tensor = self.loss(logits, target) if logits.shape[1] == 1 else self.several(logits, target)
        return loss


def _build_one(name: str, miss_weight: float) -> nn.Module:
    alpha, beta = 1.0 - miss_weight, miss_weight
    match name:
        case "dice_bce":
            return DiceCELoss(sigmoid=True, batch=True)
        case "bce":
            return nn.BCEWithLogitsLoss()
        case "balanced_bce":
            return FocalLoss(gamma=0.0, alpha=miss_weight)
        case "tversky":
            return TverskyLoss(sigmoid=True, alpha=alpha, beta=beta, batch=True)
        case "focal_tversky":
            return FocalTverskyLoss(alpha, beta)
        case _:
            raise ValueError(f"the loss must be one of {', '.join(NAMES)}, got {name!r}.")


def _build_several(name: str, miss_weight: float) -> nn.Module:
    alpha, beta = 1.0 - miss_weight, miss_weight
    overlap: dict[str, Any] = {"softmax": True, "to_onehot_y": True, "include_background": False, "batch": True}
    # of one row its "sum" is the sum over the channels of the mean over the voxels
    entropy: dict[str, Any] = {"gamma": 0.0, "use_softmax": True, "to_onehot_y": True, "reduction": "sum"}
    match name:
        case "dice_bce":
            return DiceCELoss(**overlap)
        case "bce":
            return FocalLoss(**entropy)
        case "balanced_bce":
            return FocalLoss(**entropy, alpha=miss_weight)  # 1 - alpha on background
        case "tversky":
            return TverskyLoss(**overlap, alpha=alpha, beta=beta)
        case "focal_tversky":
            return FocalTverskyLoss(alpha, beta, several=True)
        case _:
            raise ValueError(f"the loss must be one of {', '.join(NAMES)}, got {name!r}.")

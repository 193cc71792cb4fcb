"""Losses by name."""

from monai.losses import DiceCELoss, FocalLoss, TverskyLoss
from torch import nn

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
        super().__init__(_build(name, miss_weight))


def _build(name: str, miss_weight: float) -> nn.Module:
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

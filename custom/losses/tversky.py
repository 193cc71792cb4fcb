"""The focal Tversky loss."""

from monai.losses import TverskyLoss
from torch import Tensor, nn


class FocalTverskyLoss(nn.Module):
    """mean over classes of (1 - Tversky index) ** gamma, the index pooled over the batch.

    Source: Quenum, Zenyuk, Ushizima, J. Imaging 9(6):111, 2023, eq. 2 with gamma = 4/3, after Abraham and Khan,
    "A Novel Focal Tversky Loss Function", ISBI 2019. The index is TP / (TP + alpha FP + beta FN) of the sigmoid, or of the
    softmax.

    Args:
        alpha: weight of false positives.
        beta: weight of false negatives.
        gamma: exponent; above 1 the loss fades earlier where the overlap is already good.
        several: whether the channels exclude each other. The first of them, the background's, counts as no class.
    """

    def __init__(self, alpha: float = 0.3, beta: float = 0.7, gamma: float = 4 / 3, several: bool = False) -> None:
        super().__init__()
        self.tversky = TverskyLoss(
            include_background=not several,
            sigmoid=not several,
            softmax=several,
            to_onehot_y=several,
            alpha=alpha,
            beta=beta,
            batch=True,
            reduction="none",
        )
        self.gamma = gamma

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Scalar in [0, 1] from logits (B, C, ...).

        Targets are in {0, 1} of the same shape, or, with `several`, the number of a channel, (B, 1, ...).
        """
        return (self.tversky(logits, target) ** self.gamma).mean()

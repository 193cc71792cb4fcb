"""How far the Dice that probabilities let expect is from the true one, over labelled slices."""

from __future__ import annotations

from typing import Any

import torch
from monai.metrics import CumulativeIterationMetric

from custom.metrics.temperature import BINS, REACH, fit_temperature, logit_histogram


class ExpectedDiceError(CumulativeIterationMetric):
    """MONAI metric: root mean square, over the slices with lithium in mask or label, of true minus expected Dice.

    The expected one is 2 sum(p m) / (sum p + sum m) of the probabilities p = sigmoid(logit / T) and the mask m of p >= 0.5, with
    the temperature T that `Temperature` finds in the same slices, since `model.pt` has its logits divided by that. Of several channels it is not
    a number.

    Call it as `Temperature`. What is kept of a slice is the same histogram of its logits.
    """

    def reset(self) -> None:
        """Forget all slices. The zeros let a rank that was given no slice take part in the gathering."""
        super().reset()
        self.append(torch.zeros(2, BINS, dtype=torch.int64))

    def _compute_tensor(self, y_pred: torch.Tensor, y: torch.Tensor | None = None, **kwargs: Any) -> torch.Tensor:
        if y is None:
            raise ValueError("ExpectedDiceError compares logits with a label: give both y_pred and y.")
        if y_pred.shape[1] > 1:
            return torch.zeros(len(y), 2, BINS, dtype=torch.int64)
        return torch.stack([logit_histogram(logits, label) for logits, label in zip(y_pred, y, strict=True)])

    def aggregate(self) -> torch.Tensor:
        """The error as a 0-d float64 tensor; not-a-number where no slice holds any lithium."""
        slices = self.get_buffer()
        temperature = fit_temperature(slices.sum(dim=0))
        missed = [one for histogram in slices if (one := missed_by(histogram, temperature)) is not None]
        squares = torch.tensor(missed, dtype=torch.float64) ** 2
        return squares.mean().sqrt()  # of nothing not a number


def missed_by(histogram: torch.Tensor, temperature: float) -> float | None:
    """True minus expected Dice of a slice; None where neither its mask nor its label has any lithium.

    Args:
        histogram: (2, BINS), as `logit_histogram` makes it.
        temperature: that the logits are divided by.
    """
    counts = histogram.double()
    logits = (torch.arange(BINS, dtype=torch.float64) + 0.5) * (2 * REACH / BINS) - REACH
    probability, found = torch.sigmoid(logits / temperature), logits >= 0
    both, mask, label = counts[1][found].sum(), counts[:, found].sum(), counts[1].sum()
    if mask + label == 0:
        return None
    voxels = counts.sum(dim=0)
    within, everywhere = (voxels * probability)[found].sum(), (voxels * probability).sum()
    return float(2 * both / (mask + label) - 2 * within / (mask + everywhere))

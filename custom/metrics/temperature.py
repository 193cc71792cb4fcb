"""The temperature by which logits are divided, so that the probabilities fit how often there is a class."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from monai.metrics import CumulativeIterationMetric
from scipy.optimize import minimize_scalar

from custom.metrics.class_temperature import LARGEST, SHARPNESS, SMALLEST, fit_class_temperature, slopes

REACH = 24.0  # logits beyond it count as it: a probability within 4e-11 of 0 or 1
BINS = 1536  # 1/32 of a logit wide


class Temperature(CumulativeIterationMetric):
    """MONAI metric: the temperature T > 0 for which sigmoid(logit / T) has the least cross-entropy on the labelled voxels.

    Of several channels it is softmax(logits / T). Source: Guo et al., "On Calibration of Modern Neural Networks", ICML
    2017, section 4.2. One number cannot change which voxels are above probability 0.5, nor which class has the highest,
    so that such a mask stays as it is.

    Call it with `y_pred` logits (B, C, Y, X) and `y` (B, 1, Y, X), or lists of them without B. `y` is {0, 1, 255} for one
    channel, else the number of a channel or 255. What is kept of a slice is a histogram of its logits (2 classes x 1536
    bins), or the slopes of its cross-entropy (33) and how many voxels have each label, gathered over all ranks. T is
    sought between 0.05 and 20.

    Args:
        channels: of the logits.
    """

    def __init__(self, channels: int = 1) -> None:
        self.channels = channels
        super().__init__()

    def reset(self) -> None:
        """Forget all slices. The zeros let a rank that was given no slice take part in the gathering."""
        super().reset()
        several = torch.zeros(len(SHARPNESS) + self.channels, dtype=torch.float64)
        self.append(torch.zeros(2, BINS, dtype=torch.int64) if self.channels == 1 else several)

    def _compute_tensor(self, y_pred: torch.Tensor, y: torch.Tensor | None = None, **kwargs: Any) -> torch.Tensor:
        if y is None:
            raise ValueError("Temperature compares logits with a label: give both y_pred and y.")
        if self.channels == 1:
            return logit_histogram(y_pred, y)[None]
        return slopes(y_pred.movedim(1, 0).flatten(1), y.flatten())[None]

    def aggregate(self) -> torch.Tensor:
        """T as a 0-d float64 tensor."""
        fit = fit_temperature if self.channels == 1 else fit_class_temperature
        return torch.tensor(fit(self.get_buffer().sum(dim=0)), dtype=torch.float64)


def logit_histogram(logits: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
    """(2, BINS) int64 on the CPU: how many background and lithium voxels have a logit in each bin of [-REACH, REACH].

    Args:
        logits: any shape.
        label: same shape, values {0, 1, 255}; voxels of 255 are left out.
    """
    # cut off first: a float beyond int64 becomes the least one
    place = ((logits.float().clamp(-REACH, REACH) + REACH) * (BINS / (2 * REACH))).long().clamp(0, BINS - 1)
    counts = [torch.bincount(place[label == value].flatten(), minlength=BINS) for value in (0, 1)]
    return torch.stack(counts).cpu()


def fit_temperature(histogram: torch.Tensor) -> float:
    """T of least cross-entropy in [0.05, 20]; 1 where there is no voxel of one of the classes.

    Args:
        histogram: (2, BINS), as :func:`logit_histogram` makes it.
    """
    background, lithium = histogram.double().numpy()
    if not background.sum() or not lithium.sum():
        return 1.0
    centres = (np.arange(BINS) + 0.5) * (2 * REACH / BINS) - REACH

    def cross_entropy(log_t: float) -> float:
        z = centres / math.exp(log_t)
        return float(background @ np.logaddexp(0, z) + lithium @ np.logaddexp(0, -z))

    found = minimize_scalar(cross_entropy, bounds=(math.log(SMALLEST), math.log(LARGEST)), method="bounded")
    return math.exp(float(found.x))

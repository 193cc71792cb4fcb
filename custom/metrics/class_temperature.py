"""The temperature of logits whose channels exclude each other."""

from __future__ import annotations

import numpy as np
import torch
from scipy.interpolate import CubicSpline
from scipy.optimize import brentq

from custom.base.classes import UNLABELLED

FAR = 1000.0  # a logit further than that below the highest counts as that: at T = 20 its probability is 2e-22
SMALLEST, LARGEST = 0.05, 20.0  # T
PIECE = 2**18  # voxels at once

# 1/T, evenly spaced in its logarithm, each 1.21 times the one before: between them the slope is all but a cubic, and T
# is found to less than 0.1 %
SHARPNESS = np.geomspace(1 / LARGEST, 1 / SMALLEST, 33)


def slopes(logits: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
    """How much the cross-entropy of softmax(logits / T) rises with 1 / T, at each of `SHARPNESS`, summed over the voxels.

    The slope of one voxel is its mean logit under the softmax less the logit of its label. It rises with 1 / T, so that
    the sum over any voxels has one zero at most, and sums of slices and ranks add up.

    Args:
        logits: (C, N).
        label: (N,), values 0 to C - 1 and 255; voxels of 255 are left out.

    Returns:
        (33 + C,) float64 on the CPU: the slopes, then how many voxels have each label.
    """
    known = label != UNLABELLED
    place, values = label[known].long(), logits[:, known]
    found = torch.zeros(len(SHARPNESS), dtype=torch.float64)
    for where, z in zip(place.split(PIECE), values.split(PIECE, dim=1), strict=True) if len(place) else ():
        z = z.float()
        z = (z - z.amax(0)).clamp_(min=-FAR)
        right = z.gather(0, where[None]).double().sum().cpu()
        for i, sharpness in enumerate(SHARPNESS):
            weight = (z * float(sharpness)).exp_()
            share = weight.sum(0)
            found[i] += (weight.mul_(z).sum(0) / share).double().sum().cpu() - right
    return torch.cat([found, torch.bincount(place, minlength=len(logits)).cpu().double()])


def fit_class_temperature(summed: torch.Tensor) -> float:
    """T of least cross-entropy in [0.05, 20]; 1 where all voxels have one label.

    Args:
        summed: sums of what :func:`slopes` returns.
    """
    rise, counts = summed[: len(SHARPNESS)].numpy(), summed[len(SHARPNESS) :]
    if int((counts > 0).sum()) < 2:
        return 1.0
    if rise[0] >= 0:
        return LARGEST
    if rise[-1] <= 0:
        return SMALLEST
    after = int(np.argmax(rise > 0))
    curve = CubicSpline(np.log(SHARPNESS), rise)
    return float(np.exp(-brentq(curve, *np.log(SHARPNESS[after - 1 : after + 1]))))

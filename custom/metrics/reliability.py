"""Whether probabilities mean what they say: voxels binned by predicted probability, and the expected calibration error."""

from __future__ import annotations

from typing import Any

import torch
from monai.metrics.calibration import calibration_binning

from custom.base.classes import UNLABELLED

BINS = 20
PIECE = 2**20  # voxels that MONAI bins at once: it counts in float32, which is exact up to 2**24


def reliability_bins(probability: torch.Tensor, label: torch.Tensor, bins: int = BINS) -> torch.Tensor:
    """Bin the labelled voxels by their probability of lithium.

    The bins of several slices are those of all their voxels once they are added up.

    Args:
        probability: in [0, 1], any shape.
        label: same shape, values {0, 1, 255}; voxels of 255 are left out.
        bins: equal parts of [0, 1].

    Returns:
        (bins, 3) float64 on the CPU: voxels, their summed probability, and how many of them are lithium.

    Raises:
        ValueError: the shapes differ.
    """
    if probability.shape != label.shape:
        raise ValueError(
            f"Probability and label must share one shape, but they are {tuple(probability.shape)} and "
            f"{tuple(label.shape)}."
        )
    labelled = label != UNLABELLED
    total = torch.zeros(bins, 3, dtype=torch.float64)
    pieces = zip(probability[labelled].float().split(PIECE), label[labelled].float().split(PIECE), strict=True)
    for predicted, true in pieces:
        mean, share, count = (
            found[0, 0].double().cpu() for found in calibration_binning(predicted[None, None], true[None, None], bins)
        )
        total += torch.stack([count, (count * mean).nan_to_num(), (count * share).nan_to_num()], dim=1)
    return total


def calibration_error(bins: torch.Tensor) -> float | None:
    """Expected calibration error in [0, 1]: the mean over voxels of |mean probability - share of lithium| of their bin.

    Source: Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, eq. 3, with the probability of lithium in
    place of the winning class's. Background makes most of a stack and is easy, so that the error is small for any
    sensible network; the bins tell more.

    Args:
        bins: as :func:`reliability_bins` returns them.

    Returns:
        None where no voxel is labelled.
    """
    voxels = float(bins[:, 0].sum())
    return float((bins[:, 1] - bins[:, 2]).abs().sum()) / voxels if voxels else None


def reliability_table(bins: torch.Tensor) -> list[dict[str, Any]]:
    """One row per bin that holds voxels: from, to, voxels, mean_probability and lithium_share, the last two in [0, 1]."""
    edges = torch.linspace(0, 1, len(bins) + 1).tolist()
    return [
        {
            "from": round(edges[i], 6),
            "to": round(edges[i + 1], 6),
            "voxels": int(voxels),
            "mean_probability": predicted / voxels,
            "lithium_share": lithium / voxels,
        }
        for i, (voxels, predicted, lithium) in enumerate(bins.tolist())
        if voxels
    ]

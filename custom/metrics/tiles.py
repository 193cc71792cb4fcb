"""Counts of true and false, positive and negative voxels in the tiles of a slice."""

from __future__ import annotations

import torch
from einops import reduce
from monai.config import NdarrayOrTensor
from monai.utils import convert_to_tensor
from torch.nn.functional import pad


def tile_counts(pred: NdarrayOrTensor, label: NdarrayOrTensor, patch: int = 128) -> torch.Tensor:
    """Count true and false, positive and negative voxels in each tile of a slice.

    Tiles do not overlap and start at the top-left corner; those at the lower and right edge may be smaller. Voxels of
    label 255 are counted nowhere, and a tile without a labelled voxel is left out.

    Args:
        pred: (..., Y, X), values {0, 1} of any type.
        label: same shape, values {0, 1, 255} of any type.
        patch: side of a tile in voxels.

    Returns:
        (tiles, 4) int64 on the CPU, columns TP, FP, FN, TN; leading axes vary slowest, then Y, then X.

    Raises:
        ValueError: shapes differ, or a value is not one of those above (probabilities need a threshold first).
    """
    return labelled_only(all_tile_counts(pred, label, patch))


def all_tile_counts(pred: NdarrayOrTensor, label: NdarrayOrTensor, patch: int) -> torch.Tensor:
    """As :func:`tile_counts`, but with a row of zeros for each tile without a labelled voxel."""
    pred_t, label_t = convert_to_tensor(pred, track_meta=False), convert_to_tensor(label, track_meta=False)
    if pred_t.shape != label_t.shape or pred_t.ndim < 2:
        raise ValueError(
            f"Prediction and label must share one shape (..., Y, X), "
            f"but they are {tuple(pred_t.shape)} and {tuple(label_t.shape)}."
        )
    positive, negative = pred_t == 1, pred_t == 0
    true, false = label_t == 1, label_t == 0
    _require(positive | negative, pred_t, "Prediction", "0 and 1: apply the threshold first")
    _require(true | false | (label_t == 255), label_t, "Label", "0, 1 and 255")
    outcomes = torch.stack([positive & true, positive & false, negative & true, negative & false])
    y, x = outcomes.shape[-2:]
    outcomes = pad(outcomes, (0, -x % patch, 0, -y % patch))
    tiled = "outcome ... (rows py) (columns px) -> (... rows columns) outcome"
    return reduce(outcomes, tiled, "sum", py=patch, px=patch).cpu()


def labelled_only(counts: torch.Tensor) -> torch.Tensor:
    """The rows of (tiles, 4) counts that hold a labelled voxel."""
    return counts[counts.sum(dim=1) > 0]


def _require(allowed: torch.Tensor, values: torch.Tensor, name: str, expected: str) -> None:
    if not allowed.all():
        raise ValueError(f"{name} holds the value {values[~allowed][0].item()}, but may hold only {expected}.")

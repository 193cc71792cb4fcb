"""Counts of true and false, positive and negative voxels in the tiles of a slice."""

from __future__ import annotations

import torch
from einops import reduce
from monai.config import NdarrayOrTensor
from monai.utils import convert_to_tensor
from torch.nn.functional import pad

from custom.base.classes import UNLABELLED


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
    _require(true | false | (label_t == UNLABELLED), label_t, "Label", "0, 1 and 255")
    outcomes = torch.stack([positive & true, positive & false, negative & true, negative & false])
    y, x = outcomes.shape[-2:]
    outcomes = pad(outcomes, (0, -x % patch, 0, -y % patch))
    tiled = "outcome ... (rows py) (columns px) -> (... rows columns) outcome"
    return reduce(outcomes, tiled, "sum", py=patch, px=patch).cpu()


def all_class_tile_counts(pred: NdarrayOrTensor, label: NdarrayOrTensor, classes: int, patch: int) -> torch.Tensor:
    """Count each of several classes that exclude each other, every one against all the rest.

    Args:
        pred: (..., Y, X), values 0 to `classes` of any type.
        label: same shape, the same values and 255.
        classes: how many there are, without the background.
        patch: side of a tile in voxels.

    Returns:
        (tiles, classes, 4) int64 on the CPU, class v at place v - 1; zeros for each tile without a labelled voxel.

    Raises:
        ValueError: as :func:`tile_counts`.
    """
    pred_t, label_t = convert_to_tensor(pred, track_meta=False), convert_to_tensor(label, track_meta=False)
    unlabelled = label_t == UNLABELLED
    _require(
        _is_class(pred_t, classes), pred_t, "Prediction", f"whole numbers from 0 to {classes}: take the arg max first"
    )
    _require(unlabelled | _is_class(label_t, classes), label_t, "Label", f"whole numbers from 0 to {classes}, and 255")
    each = [
        all_tile_counts(pred_t == value, (label_t == value).to(torch.uint8).masked_fill(unlabelled, UNLABELLED), patch)
        for value in range(1, classes + 1)
    ]
    return torch.stack(each, dim=1)


def class_tile_counts(pred: NdarrayOrTensor, label: NdarrayOrTensor, classes: int, patch: int = 128) -> torch.Tensor:
    """As :func:`all_class_tile_counts`, without the tiles that have no labelled voxel."""
    return labelled_only(all_class_tile_counts(pred, label, classes, patch))


def labelled_only(counts: torch.Tensor) -> torch.Tensor:
    """The tiles of (tiles, 4) or (tiles, classes, 4) counts that hold a labelled voxel."""
    return counts[counts.flatten(1).sum(dim=1) > 0]


def _is_class(values: torch.Tensor, classes: int) -> torch.Tensor:
    return (values >= 0) & (values <= classes) & (values == values.long())


def _require(allowed: torch.Tensor, values: torch.Tensor, name: str, expected: str) -> None:
    if not allowed.all():
        raise ValueError(f"{name} holds the value {values[~allowed][0].item()}, but may hold only {expected}.")

"""Counts of many blends of networks that tell several classes apart."""

from __future__ import annotations

import torch

from custom.base.classes import UNLABELLED

PIECE = 2**24  # numbers of one multiplication: 64 MB


def class_blend_counts(members: torch.Tensor, truth: torch.Tensor, shares: torch.Tensor) -> torch.Tensor:
    """Count the voxels of one tile for every blend, each class against the rest.

    A class that all members find the most probable is so in every blend of theirs: only the other voxels are blended.

    Args:
        members: (M, K + 1, voxels) probabilities, channel 0 the background.
        truth: (voxels,), 0 to K and 255, which counts nowhere.
        shares: (combinations, M), each row summing to 1.

    Returns:
        (combinations, K, 4) int64, columns TP, FP, FN, TN.
    """
    known = truth != UNLABELLED
    members, truth = members[:, :, known], truth[known].long()
    side = members.shape[1]
    votes = members.argmax(dim=1)
    disputed = (votes != votes[0]).any(dim=0)
    agreed = torch.bincount(truth[~disputed] * side + votes[0, ~disputed], minlength=side * side)
    cells = agreed.repeat(len(shares), 1) + _disputed(members[:, :, disputed], truth[disputed], shares)
    table = cells.reshape(-1, side, side)  # by label and prediction
    hits = table.diagonal(dim1=1, dim2=2)
    found, true = table.sum(dim=1), table.sum(dim=2)
    each = torch.stack([hits, found - hits, true - hits, len(truth) - found - true + hits], dim=2)
    return each[:, 1:]


def _disputed(members: torch.Tensor, truth: torch.Tensor, shares: torch.Tensor) -> torch.Tensor:
    """(combinations, (K + 1) ** 2) counts by label and the class that each blend finds the most probable."""
    _, side, voxels = members.shape
    counts = torch.zeros(len(shares), side * side, dtype=torch.int64)
    if not voxels:
        return counts
    at_once = max(1, PIECE // (side * voxels))
    for start in range(0, len(shares), at_once):
        piece = shares[start : start + at_once]
        blends = (piece @ members.flatten(1)).reshape(len(piece), side, voxels)
        cells = truth * side + blends.argmax(dim=1)
        counts[start : start + at_once].scatter_add_(1, cells, torch.ones_like(cells))
    return counts

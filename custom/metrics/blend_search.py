"""E-Net's search: the scores of many blends from the members' probabilities, each of which is computed once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from einops import rearrange
from numpy.typing import NDArray
from torch.nn.functional import pad

from custom.base.classes import UNLABELLED
from custom.base.errors import BadInput
from custom.metrics.class_blends import class_blend_counts
from custom.metrics.class_means import score_intervals
from custom.metrics.overlap import scores_of


def blend_counts(
    slices: Iterable[tuple[torch.Tensor, torch.Tensor]],
    weights: NDArray[np.float64],
    threshold: float = 0.5,
    patch: int = 128,
) -> torch.Tensor:
    """Count true and false, positive and negative voxels of every blend in every tile.

    A blend of weights that sum to 1 lies between its members, so that where all members are on one side of the
    threshold every blend is too: only the voxels in dispute are blended. 66 combinations on 443 patches of noise, where three
    voxels of four are in dispute, take 1.0 s on one thread; on blobs that the members mostly agree on, 0.3 s.

    Args:
        slices: pairs of probabilities (members, Y, X), float32 in [0, 1], and label (Y, X), values {0, 1, 255}; of K classes
            (members, K + 1, Y, X), background first, and values 0 to K and 255, where the most probable one is found.
        weights: (combinations, members), each row summing to 1.
        threshold: probability from which a voxel counts as lithium.
        patch: side of a tile in voxels; tiles are those of :func:`~custom.metrics.tiles.tile_counts`.

    Returns:
        (combinations, tiles, 4) or (combinations, tiles, K, 4) int64, columns TP, FP, FN, TN; tiles without a labelled voxel
        are left out.
    """
    shares = torch.as_tensor(weights, dtype=torch.float32)
    rows = [
        _tile_counts(tile, truth, shares, threshold) if tile.ndim == 2 else class_blend_counts(tile, truth, shares)
        for probabilities, label in slices
        for tile, truth in zip(*_tiles(probabilities, label, patch), strict=True)
        if (truth != UNLABELLED).any()
    ]
    return torch.stack(rows, dim=1) if rows else torch.zeros(len(shares), 0, 4, dtype=torch.int64)


def _tiles(probabilities: torch.Tensor, label: torch.Tensor, patch: int) -> tuple[torch.Tensor, torch.Tensor]:
    """(tiles, members, voxels), or (tiles, members, channels, voxels), and (tiles, voxels); what is padded is unlabelled."""
    margin = (0, -label.shape[1] % patch, 0, -label.shape[0] % patch)
    padded = pad(probabilities.float(), margin), pad(label.to(torch.uint8), margin, value=UNLABELLED)
    tiles = "(rows py) (columns px) -> (rows columns)"
    axes = "m" if probabilities.ndim == 3 else "m c"
    members = rearrange(padded[0], f"{axes} {tiles} {axes} (py px)", py=patch, px=patch)
    return members, rearrange(padded[1], f"{tiles} (py px)", py=patch, px=patch)


def _tile_counts(members: torch.Tensor, truth: torch.Tensor, shares: torch.Tensor, threshold: float) -> torch.Tensor:
    """(combinations, 4) counts of one tile: members (M, voxels), truth (voxels,)."""
    votes = members >= threshold
    agreed, disputed = votes.all(dim=0), votes.any(dim=0) & ~votes.all(dim=0)
    lithium, background = truth == 1, truth == 0
    true, false = int(lithium.sum()), int(background.sum())
    tp = int((agreed & lithium).sum()) + _found(members[:, disputed & lithium], shares, threshold)
    fp = int((agreed & background).sum()) + _found(members[:, disputed & background], shares, threshold)
    return torch.stack([tp, fp, true - tp, false - fp], dim=1)


def _found(members: torch.Tensor, shares: torch.Tensor, threshold: float) -> torch.Tensor:
    return (shares @ members >= threshold).sum(dim=1)


@dataclass(frozen=True)
class Choice:
    """The best blend by one score, and how flat the optimum is.

    Attributes:
        score: what it is best by, e.g. ``iou_a``.
        weights: the blend, one share per member.
        value: its score in [0, 1].
        interval: bootstrap 95 % interval of that score over blocks of z.
        within: all combinations whose score lies in the interval, best first.
    """

    score: str
    weights: list[float]
    value: float
    interval: tuple[float, float]
    within: list[list[float]]


def choose(counts: torch.Tensor, weights: NDArray[np.float64], blocks: NDArray[np.int64], score: str) -> Choice:
    """The blend of highest `score`; among equals the one that runs the fewest members, then the first.

    Args:
        counts: from :func:`blend_counts`; of several classes the mean of their scores is compared.
        weights: (combinations, members).
        blocks: (tiles,) from :func:`~custom.metrics.bootstrap.z_blocks`.
        score: one of :data:`~custom.metrics.bootstrap.SCORES`.

    Raises:
        BadInput: the tiles define no such score (nothing is labelled, or no tile holds lithium where only those count).
    """
    values = np.array([scores_of(row)[score] for row in counts], dtype=np.float64)
    if not len(blocks) or np.isnan(values).any():
        raise BadInput(
            "The validation side holds no labelled voxel that the blends could be compared on: label some of its slices "
            "with 0 and 1, or choose other slices in splits.json."
        )
    members = (weights > 0).sum(axis=1)
    best = min(range(len(values)), key=lambda i: (-values[i], members[i]))
    low, high = score_intervals(counts[best], blocks)[score]
    order = [i for i in np.argsort(-values, kind="stable") if low <= values[i] <= high or i == best]
    return Choice(score, _plain(weights[best]), float(values[best]), (low, high), [_plain(weights[i]) for i in order])


def _plain(row: NDArray[np.float64]) -> list[float]:
    """Shares as short numbers whose sum is 1 to the last digit that is shown."""
    return [round(float(share), 10) for share in row]


def search_report(choice: Choice, names: list[str]) -> dict[str, Any]:
    """A choice as plain data: the members' names with their shares, and the range of each share within the interval."""
    within = np.array(choice.within)
    return {
        "score": choice.score,
        "value": choice.value,
        "interval_95": list(choice.interval),
        "blend": dict(zip(names, choice.weights, strict=True)),
        "within_interval": len(within),
        "range_within": {name: [within[:, i].min(), within[:, i].max()] for i, name in enumerate(names)},
    }

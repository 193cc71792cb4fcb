"""Several classes as one row: means of their scores, with intervals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from custom.metrics.bootstrap import block_ratios, ends, resampled

Interval = list[float | None]
SUMS = ("components_true", "components_predicted", "n_missed", "n_empty", "n_unjudged")


def class_intervals(
    counts: torch.Tensor, blocks: NDArray[np.int64], classes: Sequence[str]
) -> tuple[dict[str, Interval], dict[str, dict[str, Interval]]]:
    """Bootstrap 95 % intervals of the means over the classes, and of each class by its name.

    Blocks are drawn once for all classes, since they share their slices. A class without the score in a draw stays out of
    that draw's mean.

    Args:
        counts: (tiles, classes, 4), every tile with a labelled voxel.
        blocks: (tiles,) from :func:`~custom.metrics.bootstrap.z_blocks`.
        classes: the names.
    """
    drawn = resampled(block_ratios(counts.movedim(1, 0), blocks))  # by score (classes, resamples)
    means = {score: _interval(_known_mean(values)) for score, values in drawn.items()}
    each = {name: {score: _interval(values[i]) for score, values in drawn.items()} for i, name in enumerate(classes)}
    return means, each


def score_intervals(counts: torch.Tensor, blocks: NDArray[np.int64]) -> dict[str, tuple[float, float]]:
    """Bootstrap 95 % interval of each score, of (tiles, 4), or of the means over the classes of (tiles, classes, 4).

    Not-a-number where no draw defines one.
    """
    one = counts.ndim == 2
    drawn = resampled(block_ratios(counts[None] if one else counts.movedim(1, 0), blocks))
    found = {score: ends(values if one else _known_mean(values)[None]) for score, values in drawn.items()}
    return {score: (float(low[0]), float(high[0])) for score, (low, high) in found.items()}


def mean_of(rows: Iterable[Mapping[str, Any]], names: Iterable[str]) -> dict[str, float | None]:
    """Mean of each score over the classes that have it; None where none has."""
    rows = list(rows)
    known = {name: [row[name] for row in rows if row.get(name) is not None] for name in names}
    return {name: sum(values) / len(values) if values else None for name, values in known.items()}


def mean_shape(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The scores beside overlap of several classes: means of the scores, sums of the numbers."""
    if not rows or not all(rows):
        return {}
    first = rows[0]
    return {
        "boundary_tolerance": first["boundary_tolerance"],
        **mean_of(rows, first["interval_95"]),
        **{name: sum(row[name] for row in rows) for name in SUMS},
        "n_slices": first["n_slices"],
    }


def _known_mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    known = ~np.isnan(values)
    number = known.sum(axis=0)
    total = np.where(known, values, 0.0).sum(axis=0)
    return np.divide(total, number, out=np.full_like(total, np.nan), where=number > 0)


def _interval(scores: NDArray[np.float64]) -> Interval:
    return [None if np.isnan(end[0]) else float(end[0]) for end in ends(scores[None])]

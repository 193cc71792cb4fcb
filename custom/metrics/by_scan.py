"""How good a segmentation is on each scan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from custom.metrics.one_class import OneClass, stated_range
from custom.metrics.overlap import pooled_scores

_COUNTS = ("tp", "fp", "fn", "tn")


def scores_by_scan(scored: OneClass, scans: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Scores of each scan by its name, in the order of their slices; nothing where there is one alone.

    Args:
        scored: its rows have ``stack`` and the counts ``tp``, ``fp``, ``fn``, ``tn``, as `per_slice.csv` has them.
        scans: the name of the scan, by the stack's.

    Returns:
        ``slices``, ``dsc_d`` and ``iou_d`` (all voxels of the scan pooled, in [0, 1]), ``lithium_voxels_true``,
        ``lithium_voxels_predicted``, ``lithium_volume_error``, None where the label holds none, ``lithium_voxels_low`` and
        ``lithium_voxels_high`` (at the thresholds 0.7 and 0.3) and ``true_volume_in_range``.
    """
    counts: dict[str, list[list[int]]] = {}
    for row in scored.rows:
        counts.setdefault(scans[row["stack"]], []).append([row[name] for name in _COUNTS])
    reached: dict[str, NDArray[np.int64]] = {}
    for stack, voxels in scored.ranges.items():
        reached[scans[stack]] = reached.get(scans[stack], 0) + voxels
    every = {scan: _scores(torch.tensor(some), reached[scan]) for scan, some in counts.items()}
    return every if len(every) > 1 else {}


def _scores(counts: torch.Tensor, reached: NDArray[np.int64]) -> dict[str, Any]:
    pooled = pooled_scores(counts)
    amounts = {name: pooled[name] for name in ("lithium_voxels_true", "lithium_voxels_predicted")}
    true, predicted = (int(amount or 0) for amount in amounts.values())
    error = {"lithium_volume_error": (predicted - true) / true if true else None}
    about = {"slices": len(counts), "dsc_d": pooled["dsc"], "iou_d": pooled["iou"], **amounts, **error}
    return about | stated_range(reached, true)

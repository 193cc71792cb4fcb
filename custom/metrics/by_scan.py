"""How good a segmentation is on each scan."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch

from custom.metrics.overlap import pooled_scores

_COUNTS = ("tp", "fp", "fn", "tn")


def scores_by_scan(rows: Iterable[Mapping[str, Any]], scans: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Scores of each scan by its name, in the order of their slices; nothing where there is one alone.

    Args:
        rows: of slices, with ``stack`` and the counts ``tp``, ``fp``, ``fn``, ``tn``, as `per_slice.csv` has them.
        scans: the name of the scan, by the stack's.

    Returns:
        ``slices``, ``dsc_d`` and ``iou_d`` (all voxels of the scan pooled, in [0, 1]), ``lithium_voxels_true``,
        ``lithium_voxels_predicted``, and ``lithium_volume_error``, None where the label holds none.
    """
    counts: dict[str, list[list[int]]] = {}
    for row in rows:
        counts.setdefault(scans[row["stack"]], []).append([row[name] for name in _COUNTS])
    return {scan: _scores(torch.tensor(some)) for scan, some in counts.items()} if len(counts) > 1 else {}


def _scores(counts: torch.Tensor) -> dict[str, Any]:
    pooled = pooled_scores(counts)
    amounts = {name: pooled[name] for name in ("lithium_voxels_true", "lithium_voxels_predicted")}
    true, predicted = (int(amount or 0) for amount in amounts.values())
    error = {"lithium_volume_error": (predicted - true) / true if true else None}
    return {"slices": len(counts), "dsc_d": pooled["dsc"], "iou_d": pooled["iou"], **amounts, **error}

"""One scoring code for all methods."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from custom.metrics import block_ratios, intervals, overlap_scores, tile_counts, z_blocks
from custom.study.page import Table
from custom.study.slices import LabelledSlice
from custom.study.table1 import score_text

SHOWN = {"dsc_d": "Dice (d)", "dsc_a": "mDSC (a)", "iou_a": "mIoU (a)"}
THRESHOLD = 0.5


def scored(folder: Path, slices: list[LabelledSlice]) -> dict[str, Any]:
    """Scores of the probabilities in `folder` at 0.5, with bootstrap 95 % intervals over blocks of 8 slices."""
    counts = [tile_counts(piece.probability(folder) >= THRESHOLD, piece.label) for piece in slices]
    places = [piece.place for piece, found in zip(slices, counts, strict=True) for _ in found]
    together = torch.cat(counts)
    ends = intervals(block_ratios(together, z_blocks(places)))
    return {
        "scores": overlap_scores(together),
        "interval_95": {name: [float(low), float(high)] for name, (low, high) in ends.items()},
    }


def table(rows: Mapping[str, list[dict[str, Any]]]) -> Table:
    """One row for each method and seed."""
    body = []
    for method, runs in rows.items():
        for run in runs:
            trained = "minutes" in run
            cost = [f"{run['minutes']:.1f}", f"{run['steps']:,}", f"{run['patches']:,}"] if trained else ["–"] * 3
            body.append([method, str(run["seed"]), *cost, *(score_text(run, score) for score in SHOWN)])
    return Table(["method", "seed", "minutes", "steps", "patches seen", *SHOWN.values()], body)

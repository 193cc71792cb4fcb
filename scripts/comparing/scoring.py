"""One scoring code for all methods."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from custom.study.page import Table
from custom.study.slices import LabelledSlice
from custom.study.table1 import score, score_text

SHOWN = {"dsc_d": "Dice (d)", "dsc_a": "mDSC (a)", "iou_a": "mIoU (a)"}
THRESHOLD = 0.5


def scored(folder: Path, slices: list[LabelledSlice]) -> dict[str, Any]:
    """Scores of the probabilities in `folder` at 0.5, with their intervals."""
    return score(slices, (piece.probability(folder) >= THRESHOLD for piece in slices))


def table(rows: Mapping[str, list[dict[str, Any]]]) -> Table:
    """One row for each method and seed."""
    body = []
    for method, runs in rows.items():
        for run in runs:
            trained = "minutes" in run
            cost = [f"{run['minutes']:.1f}", f"{run['steps']:,}", f"{run['patches']:,}"] if trained else ["–"] * 3
            body.append([method, str(run["seed"]), *cost, *(score_text(run, score) for score in SHOWN)])
    return Table(["method", "seed", "minutes", "steps", "patches seen", *SHOWN.values()], body)

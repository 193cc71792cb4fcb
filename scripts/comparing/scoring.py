"""One scoring code for all methods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from custom.base.classes import LITHIUM
from custom.study.page import Table
from custom.study.slices import LabelledSlice
from custom.study.table1 import score, score_text

SHOWN = {"dsc_d": "Dice (d)", "dsc_a": "mDSC (a)", "iou_a": "mIoU (a)"}
THRESHOLD = 0.5


def scored(folder: Path, slices: list[LabelledSlice], classes: Sequence[str] = LITHIUM) -> dict[str, Any]:
    """Scores of the probabilities in `folder` at 0.5, or of the most probable class, with their intervals."""
    return score(slices, (_mask(piece.probability(folder)) for piece in slices), classes)


def _mask(probability: NDArray[Any]) -> NDArray[Any]:
    mask: NDArray[Any] = probability.argmax(0) if probability.ndim == 3 else probability >= THRESHOLD
    return mask


def table(rows: Mapping[str, list[dict[str, Any]]]) -> Table:
    """One row for each method and seed."""
    body = []
    for method, runs in rows.items():
        for run in runs:
            trained = "minutes" in run
            cost = [f"{run['minutes']:.1f}", f"{run['steps']:,}", f"{run['patches']:,}"] if trained else ["–"] * 3
            body.append([method, str(run["seed"]), *cost, *(score_text(run, score) for score in SHOWN)])
    return Table(["method", "seed", "minutes", "steps", "patches seen", *SHOWN.values()], body)

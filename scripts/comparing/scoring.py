"""One scoring code for all methods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray

from custom.base.classes import LITHIUM
from custom.data import voxel_size_of_stems
from custom.judging import JudgingOne
from custom.metrics import PatchOverlap, ShapeScores
from custom.study.page import Table
from custom.study.reading import read_json
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


def judged(folder: Path, slices: list[LabelledSlice]) -> dict[str, Any]:
    """What evaluate.json found, as its metrics.json has it; of probabilities of one class alone, the same by its own code."""
    if (folder / "metrics.json").is_file():
        return read_json(folder / "metrics.json")
    metric = PatchOverlap()
    judging = JudgingOne(metric, ShapeScores(voxel_sizes=voxel_size_of_stems([piece.item for piece in slices])), 0)
    for piece in slices:
        probability, label = piece.probability(folder), piece.label
        mask = _mask(probability)
        metric(torch.as_tensor(mask)[None, None].long(), torch.as_tensor(label)[None, None].long())
        judging.add(piece.place, piece.image, mask, label, torch.logit(torch.as_tensor(probability))[None])
    head, tail = judging.finish()
    return {**head, **tail}


def table(rows: Mapping[str, list[dict[str, Any]]]) -> Table:
    """One row for each method and seed."""
    body = []
    for method, runs in rows.items():
        for run in runs:
            trained = "minutes" in run
            cost = [f"{run['minutes']:.1f}", f"{run['steps']:,}", f"{run['patches']:,}"] if trained else ["–"] * 3
            body.append([method, str(run["seed"]), *cost, *(score_text(run, score) for score in SHOWN)])
    return Table(["method", "seed", "minutes", "steps", "patches seen", *SHOWN.values()], body)

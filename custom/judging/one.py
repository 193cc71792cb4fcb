"""What an evaluation of one class comes to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from custom.metrics import OneClass, PatchOverlap, ShapeScores, scores_by_scan
from custom.report import (
    SLICE_COLUMNS,
    TRUTH_COLOURS,
    MostOf,
    amounts_line,
    overlay_truth,
    scans_lines,
    scores_table,
    shape_line,
)

Place = tuple[str, int]
Picture = tuple[np.ndarray, Mapping[str, Any], str]  # RGB, legend, title


class JudgingOne:
    """Collects the slices of one class, whose scores have the names that those of lithium have.

    Args:
        metric: the evaluator's.
        shape: gives the settings of the scores beside overlap.
        pictures: how many.
        scans: the name of the scan that a stack belongs to, by the stack's; None: there is one.
    """

    columns = SLICE_COLUMNS

    def __init__(
        self, metric: PatchOverlap, shape: ShapeScores, pictures: int, scans: Mapping[str, str] | None = None
    ) -> None:
        self.metric = metric
        (self.name,) = metric.classes
        self.scans = scans
        self.scored = OneClass(shape.another())
        self.most = MostOf(pictures)

    def add(self, place: Place, image: np.ndarray, pred: np.ndarray, label: np.ndarray, logits: torch.Tensor) -> None:
        """Score a slice: image, pred and label (Y, X), logits (1, Y, X)."""
        row = self.scored.add(place, pred, label, torch.sigmoid(logits))
        self.most.add(place, row["lithium_voxels_true"], overlay_truth(image, pred, label))

    def finish(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """What metrics.json begins and ends with."""
        scores, amounts = self.metric.scores(), self.scored.amounts()
        head = {**scores, **amounts, **undefined(scores | amounts, self.name)}
        return head, {"shape": self.scored.shape.summary(), **by_scan(self.scored, self.scans)}

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Of per_slice.csv."""
        return self.scored.rows

    def pictures(self) -> dict[str, Picture]:
        """By the names of their files."""
        return {
            f"{stem}_z{z:04d}.png": (picture, TRUTH_COLOURS, f"{stem}, slice {z}")
            for (stem, z), picture in self.most.pictures.items()
        }

    def text(self, found: Mapping[str, Any]) -> str:
        """For the terminal, of metrics.json."""
        lines = [scores_table(found), shape_line(found["shape"]), amounts_line(found), *scans_lines(found)]
        return "\n".join(lines).replace("lithium", self.name)

    def shown(self) -> str:
        """What the pictures show."""
        return f"the {len(self.most)} slices with most {self.name}"


def by_scan(scored: OneClass, scans: Mapping[str, str] | None) -> dict[str, Any]:
    """`scans`, the scores of each; nothing where there is one alone."""
    found = {} if scans is None else scores_by_scan(scored, scans)
    return {"scans": found} if found else {}


def undefined(found: Mapping[str, Any], name: str) -> dict[str, str]:
    """`undefined`: which figures are None, and why; nothing where all have a value."""
    missing = [score for score, value in found.items() if value is None]
    # where nothing at all is labelled the metric refuses
    return {"undefined": f"{', '.join(missing)}: no voxel of this side is labelled {name}"} if missing else {}

"""What an evaluation of several classes comes to."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from custom.base.classes import UNLABELLED
from custom.base.colours import class_colours
from custom.judging.one import Picture, Place, by_scan
from custom.metrics import (
    GreyCounts,
    OneClass,
    PatchOverlap,
    ShapeScores,
    class_intervals,
    class_tile_counts,
    confusion,
    confusion_table,
    mean_of,
    mean_shape,
    of_value,
    z_blocks,
)
from custom.report import (
    CLASS_COLUMNS,
    TRUTH_COLOURS,
    MostOf,
    class_table,
    confusion_text,
    overlay_mask,
    overlay_truth,
)

logger = logging.getLogger("evaluation")


class JudgingSeveral:
    """Collects the slices of several classes that exclude each other: each against the rest, and all against each other.

    Args:
        metric: the evaluator's, which knows the classes.
        shape: gives the settings of the scores beside overlap.
        pictures: how many of all classes together; of each class a third of it.
        scans: the name of the scan that a stack belongs to, by the stack's; None: there is one.
    """

    columns = CLASS_COLUMNS

    def __init__(
        self, metric: PatchOverlap, shape: ShapeScores, pictures: int, scans: Mapping[str, str] | None = None
    ) -> None:
        self.metric, self.classes = metric, metric.classes
        self.scans = scans
        self.scored = {name: OneClass(shape.another()) for name in self.classes}
        self.grey = GreyCounts(len(self.classes))
        self.confused = np.zeros((len(self.classes) + 1,) * 2, np.int64)
        self.counts: list[torch.Tensor] = []
        self.places: list[Place] = []
        self.together = MostOf(pictures)
        self.most = {name: MostOf(max(1, pictures // 3)) for name in self.classes}

    def add(self, place: Place, image: np.ndarray, pred: np.ndarray, label: np.ndarray, logits: torch.Tensor) -> None:
        """Score a slice: image, pred and label (Y, X), logits (K + 1, Y, X), channel 0 the background."""
        probability = torch.softmax(logits, dim=0)
        counts = class_tile_counts(pred, label, len(self.classes), self.metric.patch)
        self.counts.append(counts)
        self.places += [place] * len(counts)
        self.confused += confusion(pred, label, len(self.classes))
        self.grey.add(image, label)
        for value, name in enumerate(self.classes, 1):
            found, truth = (of_value(plane, value) for plane in (pred, label))
            row = self.scored[name].add(place, found, truth, probability[value])
            self.most[name].add(place, row["lithium_voxels_true"], overlay_truth(image, found, truth))
        known = np.where(label == UNLABELLED, 0, label)
        self.together.add(place, np.count_nonzero(known), _both(image, known, pred))

    def finish(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """What metrics.json begins and ends with."""
        blocks = z_blocks(self.places)
        intervals, each = class_intervals(torch.cat(self.counts), blocks, self.classes)
        classes: dict[str, dict[str, Any]] = {}
        for value, (name, scores) in enumerate(self.metric.class_scores().items(), 1):
            scored = self.scored[name]
            classes[name] = {
                **scores,
                "interval_95": each[name],
                **_without_lithium(scored.amounts()),
                "shape": scored.shape.summary(),
                "best_grey_window": self.grey.best(value),
                **_without_lithium(by_scan(scored, self.scans)),
            }
        means: dict[str, Any] = {**self.metric.scores(), "interval_95": intervals, "blocks": int(blocks.max()) + 1}
        means |= mean_of(classes.values(), ["calibration_error"]) | self._undefined(classes)
        shape = mean_shape([found["shape"] for found in classes.values()])
        confused = confusion_table(self.confused, self.classes)
        return means, {"shape": shape, "classes": classes, "confusion": confused}

    def _undefined(self, classes: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
        """Which scores a class has not, and why; told too, since they are missing in the means."""
        missing = {
            name: [score for score, value in found.items() if value is None and score != "best_grey_window"]
            for name, found in classes.items()
        }
        sentences = [
            f"{', '.join(scores)} of {name}: no voxel of this side is labelled {name}"
            for name, scores in missing.items()
            if scores
        ]
        for sentence in sentences:
            logger.warning("%s; the means are over the other classes.", sentence)
        return {"undefined": "; ".join(sentences)} if sentences else {}

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Of per_slice.csv: the classes of a slice one after another."""
        each = [[_without_lithium(row) | {"class": name} for row in one.rows] for name, one in self.scored.items()]
        return [row for of_slice in zip(*each, strict=True) for row in of_slice]

    def pictures(self) -> dict[str, Picture]:
        """By the names of their files; a class's begin with its value and name."""
        colours = class_colours(self.classes)
        found: dict[str, Picture] = {
            f"{stem}_z{z:04d}.png": (picture, colours, f"{stem}, slice {z}: label, found")
            for (stem, z), picture in self.together.pictures.items()
        }
        for value, (name, most) in enumerate(self.most.items(), 1):
            for (stem, z), picture in most.pictures.items():
                found[f"{value}_{_for_file(name)}_{stem}_z{z:04d}.png"] = (
                    picture,
                    TRUTH_COLOURS,
                    f"{name}: {stem}, slice {z}",
                )
        return found

    def text(self, found: Mapping[str, Any]) -> str:
        """For the terminal, of metrics.json."""
        return f"{class_table(found['classes'], found)}\n\n{confusion_text(found['confusion'])}"

    def shown(self) -> str:
        """What the pictures show."""
        return f"the {len(self.together)} slices with most of all classes, and those with most of each"


def _for_file(name: str) -> str:
    return re.sub(r"[^\w-]", "_", name)


def _without_lithium(found: Mapping[str, Any]) -> dict[str, Any]:
    """The names of the scores of one class that may be any, in the rows of a list and of each scan too."""
    rows = {name: [_without_lithium(row) for row in value] for name, value in found.items() if isinstance(value, list)}
    scans = {name: _without_lithium(scan) for name, scan in found.get("scans", {}).items()}
    inner = dict(found) | rows | ({"scans": scans} if scans else {})
    return {name.removeprefix("lithium_"): value for name, value in inner.items()}


def _both(image: np.ndarray, label: np.ndarray, pred: np.ndarray) -> np.ndarray:
    """Label and prediction in the colours of the classes: side by side, one above the other where they are wide."""
    gap = np.full((4, image.shape[1], 3), 255, np.uint8)
    parts = [overlay_mask(image, label), gap, overlay_mask(image, pred)]
    if image.shape[1] > 2 * image.shape[0]:
        return np.concatenate(parts, axis=0)
    parts[1] = np.full((image.shape[0], 4, 3), 255, np.uint8)
    return np.concatenate(parts, axis=1)

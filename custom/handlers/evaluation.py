"""What an evaluation leaves behind: metrics.json, per_slice.csv and overlay pictures."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ignite.engine import Engine, Events

from custom.base.errors import BadInput
from custom.metrics import (
    PatchOverlap,
    ShapeScores,
    calibration_error,
    pooled_scores,
    reliability_bins,
    reliability_table,
    tile_counts,
)
from custom.report import (
    TRUTH_COLOURS,
    amounts_line,
    overlay_truth,
    save_overlay,
    scores_table,
    shape_line,
    write_json,
    write_scores_csv,
)
from custom.report.earlier import SCORED, remove_pictures
from custom.running.interruption import shielded

logger = logging.getLogger("evaluation")


class Evaluation:
    """Collects the evaluator's slices and writes the scores.

    metrics.json holds the overlap scores, the lithium voxels of label and prediction with the relative error of their
    volume, the expected calibration error of the probabilities and the bins that it is made of. What has no value is
    null, and `undefined` says why. `shape` holds the scores beside overlap, see
    :class:`~custom.metrics.shape_set.ShapeScores`.

    Args:
        metric: the evaluator's `PatchOverlap`.
        output_dir: gets metrics.json, per_slice.csv and overlays/.
        record: what else metrics.json says (data set, weights, settings).
        pictures: how many overlays; those of the slices with most lithium.
        shape: collects the boundary, centreline and component scores; None: those in voxels at their default tolerance.
    """

    def __init__(
        self,
        metric: PatchOverlap,
        output_dir: str | os.PathLike[str],
        record: Mapping[str, Any],
        pictures: int = 6,
        shape: ShapeScores | None = None,
    ) -> None:
        self.metric = metric
        self.folder = Path(output_dir)
        self.record = dict(record)
        self.pictures = pictures
        self.shape = ShapeScores() if shape is None else shape
        self.rows: list[dict[str, Any]] = []

    def attach(self, engine: Engine) -> None:
        """MONAI's handler protocol.

        Raises:
            BadInput: there is no slice to score (MONAI would skip the run with a warning).
        """
        if engine.state.epoch_length == 0:
            raise BadInput(
                f"{self.record.get('dataset_dir', 'data set')}: the {self.record.get('section', '')} side is empty; name "
                "slices for it in splits.json or give --section val"
            )
        engine.add_event_handler(Events.STARTED, self._start)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._add)
        engine.add_event_handler(Events.COMPLETED, self._write)

    def _start(self, engine: Engine) -> None:
        self.rows.clear()
        self.shape.clear()
        self.bins = torch.zeros(1)
        self.shown: dict[tuple[str, int], tuple[int, np.ndarray]] = {}

    def _add(self, engine: Engine) -> None:
        batch: Any = engine.state.batch
        output: Any = engine.state.output
        for item, found in zip(batch, output, strict=True):
            image, label, pred = (np.asarray(found[key].cpu())[0] for key in ("image", "label", "pred"))
            pooled = pooled_scores(tile_counts(pred, label))
            self.bins = self.bins + reliability_bins(torch.sigmoid(found["logits"].float()), found["label"])
            name = (str(item["stem"]), int(item["z"]))
            self.rows.append({"stack": name[0], "z": name[1], **pooled, **self.shape.add(name, pred, label)})
            self.shown[name] = (int(pooled["lithium_voxels_true"] or 0), overlay_truth(image, pred, label))
            if len(self.shown) > self.pictures:
                del self.shown[min(self.shown, key=lambda key: self.shown[key][0])]

    def _amounts(self) -> dict[str, Any]:
        true, predicted = (sum(row[f"lithium_voxels_{side}"] for row in self.rows) for side in ("true", "predicted"))
        return {
            "lithium_voxels_true": true,
            "lithium_voxels_predicted": predicted,
            "lithium_volume_error": (predicted - true) / true if true else None,
            "calibration_error": calibration_error(self.bins),
            "reliability": reliability_table(self.bins),
        }

    @shielded(last=True)
    def _write(self, engine: Engine) -> None:
        scores = self.metric.scores()
        amounts, shape = self._amounts(), self.shape.summary()
        found = {**scores, **amounts, **undefined(scores | amounts), **self.record, "shape": shape}
        write_json(self.folder / "metrics.json", found)
        write_scores_csv(self.folder / "per_slice.csv", self.rows)
        names = {place: f"{place[0]}_z{place[1]:04d}.png" for place in self.shown}
        pictures = remove_pictures(self.folder, SCORED, keep=list(names.values()))
        for (stem, z), (_, picture) in self.shown.items():
            save_overlay(pictures / names[stem, z], picture, TRUTH_COLOURS, title=f"{stem}, slice {z}")
        logger.info(
            "%s\n%s\n%s\nIn %s: metrics.json, per_slice.csv (every slice) and overlays/ (the %d slices with most lithium).",
            scores_table(scores),
            shape_line(shape),
            amounts_line(amounts),
            self.folder,
            len(self.shown),
        )


def undefined(found: Mapping[str, Any]) -> dict[str, str]:
    """`undefined`: which figures are None, and why; nothing where all have a value."""
    names = [name for name, value in found.items() if value is None]
    # where nothing at all is labelled the metric refuses
    return {"undefined": f"{', '.join(names)}: no voxel of this side is labelled lithium"} if names else {}

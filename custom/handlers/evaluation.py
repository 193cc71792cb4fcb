"""What an evaluation leaves behind: metrics.json, per_slice.csv and overlay pictures."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from ignite.engine import Engine, Events

from custom.base.errors import BadInput
from custom.judging import JudgingOne, JudgingSeveral
from custom.metrics import PatchOverlap, ShapeScores
from custom.report import save_overlay, write_json, write_scores_csv
from custom.report.earlier import SCORED, remove_pictures
from custom.running.interruption import shielded

logger = logging.getLogger("evaluation")


class Evaluation:
    """Collects the evaluator's slices and writes the scores.

    metrics.json of one class holds the overlap scores, the lithium voxels of label and prediction with the relative error
    of their volume, the expected calibration error of the probabilities and the bins that it is made of. What has no
    value is null, and `undefined` says why. `shape` holds the scores beside overlap, see
    :class:`~custom.metrics.shape_set.ShapeScores`, and `scans`, where there are several, the pooled overlap and volume of each.

    Of several classes all that are means over them, with bootstrap intervals over blocks of z (`interval_95`); `classes` has
    the same of each class against the rest, and the best that one grey window does for it (`best_grey_window`), and
    `confusion` the voxels by label and prediction.

    Args:
        metric: the evaluator's `PatchOverlap`, which knows the classes.
        output_dir: gets metrics.json, per_slice.csv and overlays/.
        record: what else metrics.json says (data set, weights, settings).
        pictures: how many overlays; those of the slices with most lithium.
        shape: settings of the boundary, centreline and component scores; None: in voxels at their default tolerance.
        merge: which classes are judged as one, if any are.
        scans: the name of the scan that a stack belongs to, by the stack's; None: there is one.
    """

    def __init__(
        self,
        metric: PatchOverlap,
        output_dir: str | os.PathLike[str],
        record: Mapping[str, Any],
        pictures: int = 6,
        shape: ShapeScores | None = None,
        merge: Mapping[str, Any] | None = None,
        scans: Mapping[str, str] | None = None,
    ) -> None:
        self.metric = metric
        self.folder = Path(output_dir)
        self.record = dict(record) | ({} if merge is None else {"merge": merge})
        self.pictures = pictures
        self.scans = scans
        self.shape = ShapeScores() if shape is None else shape

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
        judging = JudgingOne if len(self.metric.classes) == 1 else JudgingSeveral
        self.judging: JudgingOne | JudgingSeveral = judging(self.metric, self.shape, self.pictures, self.scans)

    def _add(self, engine: Engine) -> None:
        batch: Any = engine.state.batch
        output: Any = engine.state.output
        for item, found in zip(batch, output, strict=True):
            image, label, pred = (np.asarray(found[key].cpu())[0] for key in ("image", "label", "pred"))
            self.judging.add((str(item["stem"]), int(item["z"])), image, pred, label, found["logits"].float())

    @shielded(last=True)
    def _write(self, engine: Engine) -> None:
        head, tail = self.judging.finish()
        found = {**head, **self.record, **tail}
        write_json(self.folder / "metrics.json", found)
        write_scores_csv(self.folder / "per_slice.csv", self.judging.rows, self.judging.columns)
        pictures = self.judging.pictures()
        folder = remove_pictures(self.folder, SCORED, keep=list(pictures))
        for name, (picture, legend, title) in pictures.items():
            save_overlay(folder / name, picture, legend, title=title)
        logger.info(
            "%s\nIn %s: metrics.json, per_slice.csv (every slice) and overlays/ (%s).",
            self.judging.text(found),
            self.folder,
            self.judging.shown(),
        )

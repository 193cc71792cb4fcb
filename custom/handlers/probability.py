"""The probability of every evaluated slice, kept for what is compared afterwards."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ignite.engine import Engine, Events

from custom.base.files import complete_file


class KeepProbability:
    """Writes the probability of each slice as float32 (Y, X) in [0, 1] to `output_dir`/probability/STEM_zZZZZ.npy.

    Thresholded it is the evaluator's prediction. Of K classes it is (K + 1, Y, X), background first, and the highest of each
    voxel is the prediction. Attach it to an evaluator whose output holds ``logits``.

    Args:
        output_dir: the evaluation's folder.
    """

    def __init__(self, output_dir: str | os.PathLike[str]) -> None:
        self.folder = Path(output_dir) / "probability"

    def attach(self, engine: Engine) -> None:
        """MONAI's handler protocol."""
        engine.add_event_handler(Events.ITERATION_COMPLETED, self)

    def __call__(self, engine: Engine) -> None:
        batch: Any = engine.state.batch
        output: Any = engine.state.output
        for item, found in zip(batch, output, strict=True):
            logits = found["logits"].float()
            kept = torch.sigmoid(logits[0]) if len(logits) == 1 else torch.softmax(logits, dim=0)
            probability = kept.cpu().numpy()
            path = self.folder / f"{item['stem']}_z{int(item['z']):04d}.npy"
            with complete_file(path) as part, open(part, "wb") as file:
                np.save(file, probability)

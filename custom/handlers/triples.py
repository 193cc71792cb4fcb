"""Image, label and prediction side by side in TensorBoard."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from ignite.engine import Engine, Events
from torch.utils.tensorboard.writer import SummaryWriter

from custom.base.classes import LITHIUM
from custom.report import triple


class SliceTriples:
    """Shows a few validated slices: those that hold most lithium, or most classes and then most of them.

    Args:
        writer: a TensorBoard writer; None shows nothing.
        count: how many slices.
        classes: what is looked for, in the order of the label values 1, 2, ...
    """

    def __init__(self, writer: SummaryWriter | None, count: int = 3, classes: Sequence[str] = LITHIUM) -> None:
        self.writer = writer
        self.count = count
        self.classes = tuple(classes)
        self.kept: dict[int, tuple[tuple[int, int], torch.Tensor]] = {}

    def attach(self, engine: Engine) -> None:
        """MONAI's handler protocol."""
        if self.writer is not None:
            engine.add_event_handler(Events.STARTED, lambda _: self.kept.clear())
            engine.add_event_handler(Events.ITERATION_COMPLETED, self._keep)
            engine.add_event_handler(Events.COMPLETED, self._show)

    def _keep(self, engine: Engine) -> None:
        items: Any = engine.state.output
        for item in items:
            voxels = [int((item["label"] == 1 + i).sum()) for i in range(len(self.classes))]
            rich = (sum(n > 0 for n in voxels), sum(voxels))
            if len(self.kept) >= self.count and rich <= min(other for other, _ in self.kept.values()):
                continue
            image, label, pred = (torch.as_tensor(item[key]).cpu().numpy()[0] for key in ("image", "label", "pred"))
            # the position in the validation set names the picture, so that TensorBoard's slider shows one slice over time
            self.kept[engine.state.iteration] = (rich, torch.as_tensor(triple(image, label, pred, self.classes)))
            if len(self.kept) > self.count:
                del self.kept[min(self.kept, key=lambda i: self.kept[i][0])]

    def _show(self, engine: Engine) -> None:
        assert self.writer is not None
        for position, (_, picture) in sorted(self.kept.items()):
            # the evaluator is run with the trainer's epoch as its own
            self.writer.add_image(f"image, label, prediction/slice {position}", picture, engine.state.epoch)

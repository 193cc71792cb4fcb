"""Batch norm that ends its training the way it will be used."""

from __future__ import annotations

from typing import Any

import torch
from ignite.engine import Engine, Events
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.hooks import RemovableHandle

from custom.handlers.budget import TrainingBudget


class FreezeBatchNorm:
    """Freezes the running statistics of all batch-norm layers for the last part of a training, and normalises with them.

    A few patches rich in lithium normalise differently from one another and from a whole slice. A network trained on
    their batch statistics to the end is calibrated for these: on the sandstone set its U-Net found 0.83 of the clay in
    training patches as it was trained, and 0.73 of the same with running statistics. With them frozen, weights and
    affine parameters adapt to what inference uses. It is the trainer's network; norms of other kinds are left alone.
    Not every network stands it: a TransforCNN loses what it has learned (bundle/docs/ablation.md).

    Args:
        budget: knows the progress of the training, restarts included.
        start: progress in [0, 1] from which on an epoch runs frozen.
    """

    def __init__(self, budget: TrainingBudget, start: float = 0.5) -> None:
        self.budget = budget
        self.start = start
        self.handles: list[RemovableHandle] = []

    def attach(self, engine: Engine) -> None:
        """MONAI's handler protocol."""
        engine.add_event_handler(Events.EPOCH_STARTED, self)

    def __call__(self, engine: Engine) -> None:
        frozen = self.budget.progress >= self.start
        if frozen and not self.handles:
            # the trainer sets the whole network to train mode in every iteration, so that this has to come after it
            network: torch.nn.Module = engine.network  # type: ignore[attr-defined]
            layers = [module for module in network.modules() if isinstance(module, _BatchNorm)]
            self.handles = [layer.register_forward_pre_hook(_use_running_statistics) for layer in layers]
        elif not frozen:
            while self.handles:
                self.handles.pop().remove()


def _use_running_statistics(layer: torch.nn.Module, inputs: Any) -> None:
    layer.eval()

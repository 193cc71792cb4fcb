"""The same batch-norm statistics on every rank before a validation."""

from __future__ import annotations

import torch
import torch.distributed as dist
from ignite.engine import Engine, Events


class SameBuffers:
    """Broadcasts rank 0's buffers when the evaluator starts, so that all ranks score the network that rank 0 saves.

    `DistributedDataParallel` itself does so only at the next training step.

    Args:
        network: the network, not wrapped.
    """

    def __init__(self, network: torch.nn.Module) -> None:
        self.network = network

    def attach(self, engine: Engine) -> None:
        """MONAI's handler protocol."""
        engine.add_event_handler(Events.STARTED, self)

    def __call__(self, engine: Engine) -> None:
        for buffer in self.network.buffers():
            dist.broadcast(buffer, src=0)

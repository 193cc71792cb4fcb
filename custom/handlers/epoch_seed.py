"""Every epoch starts from a random state of its own."""

from __future__ import annotations

from typing import Any

import torch
from ignite.engine import Engine, Events


class EpochSeed:
    """Seeds torch (dropout) and the trainer's data set from (seed, epoch), so that a restart repeats an epoch to the bit.

    No random state is stored: that would tie a checkpoint to the layout of processes that wrote it. The seed is the data
    set's, which gets `set_epoch(epoch)`, epochs counted from 1; each process, by its rank, has a dropout of its own.
    """

    def attach(self, engine: Engine) -> None:
        """MONAI's handler protocol."""
        engine.add_event_handler(Events.EPOCH_STARTED, self)

    def __call__(self, engine: Engine) -> Any:
        state: Any = engine.state
        epoch, dataset = state.epoch, state.dataloader.dataset
        dataset.set_epoch(epoch)
        # distinct for every (seed, epoch, rank) with fewer than a million epochs and a thousand ranks
        torch.manual_seed((dataset.seed * 1_000_000 + epoch) * 1_000 + state.rank)

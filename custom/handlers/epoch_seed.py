"""Every epoch starts from a random state of its own."""

from __future__ import annotations

from typing import Any, Protocol

import torch
from ignite.engine import Engine, Events


class HasEpochs(Protocol):
    """A data set whose content depends on the epoch."""

    def set_epoch(self, epoch: int) -> None: ...


class EpochSeed:
    """Seeds torch (dropout) and the data set from (seed, epoch), so that a restart repeats an epoch to the bit.

    No random state is stored: that would tie a checkpoint to the layout of processes that wrote it.

    Args:
        dataset: gets `set_epoch(epoch)`, epochs counted from 1.
        seed: the run's seed.
        rank: the process's rank, which gives each process a dropout of its own.
    """

    def __init__(self, dataset: HasEpochs, seed: int, rank: int = 0) -> None:
        self.dataset = dataset
        self.seed = seed
        self.rank = rank

    def attach(self, engine: Engine) -> None:
        """MONAI's handler protocol."""
        engine.add_event_handler(Events.EPOCH_STARTED, self)

    def __call__(self, engine: Engine) -> Any:
        epoch = engine.state.epoch
        self.dataset.set_epoch(epoch)
        # distinct for every (seed, epoch, rank) with fewer than a million epochs and a thousand ranks
        torch.manual_seed((self.seed * 1_000_000 + epoch) * 1_000 + self.rank)

"""Processes that torchrun started wait for one another, through torchrun's own key-value store."""

from __future__ import annotations

import time
from datetime import timedelta

from torch.distributed import PrefixStore, Store, rendezvous

INTERVAL = 0.05  # seconds between two looks
START = timedelta(minutes=30)  # for torchrun's store to answer


class Gathering:
    """Points at which all processes of a run have to have arrived before any goes on.

    Only counts are exchanged, so that neither a communication backend nor its time-outs come in: the last process may be
    hours behind. A process that is started again counts anew, since torchrun gives every attempt keys of its own.

    Args:
        world_size: number of processes; 1: nobody is waited for.
        store: reached by all of them; None: the one that torchrun announces in the environment.
    """

    def __init__(self, world_size: int = 1, store: Store | None = None) -> None:
        self.world_size = world_size
        if world_size > 1:
            store = store or next(rendezvous("env://", timeout=START))[0]
            self.store = PrefixStore("gathering", store)

    def arrive(self, point: str) -> None:
        """Tell the others that this process has come so far; it need not wait itself."""
        if self.world_size > 1 and self.store.add(point, 1) == self.world_size:
            self.store.set(f"{point}/all", "")

    def wait(self, point: str) -> None:
        """Wait until all have arrived."""
        while self.world_size > 1 and not self.store.check([f"{point}/all"]):
            time.sleep(INTERVAL)

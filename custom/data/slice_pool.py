"""The slices of an epoch of unlabelled patches: some of all that there are, ready in memory."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from custom.data.sides import Item

MOST_BYTES = 1 << 29
_BYTES = 5  # a voxel: float32, and what may be learned from it


class SlicePool:
    """Holds at most `most` prepared slices, and exchanges a quarter of them with every epoch.

    Reading and scaling a slice takes longer than the patches of a step, and all slices of a long stack do not fit into
    memory. Every slice comes up equally often, in a random order that `seed` fixes, and what an epoch has depends on
    its number alone. MONAI's `SmartCacheDataset` exchanges slices too, but always begins with the first: a training
    that goes on with epoch 9 would have others than one that was never cut off.

    Args:
        items: all slices, each with its ``size`` (Y, X).
        prepare: makes of an item what patches are cut from.
        most: how many slices to hold; fewer where they would take more than 512 MB.
        seed: of the order.
    """

    def __init__(self, items: Sequence[Item], prepare: Callable[[Item], Any], most: int, seed: int) -> None:
        largest = max((_BYTES * math.prod(item["size"]) for item in items), default=1)
        self.items, self.prepare = items, prepare
        self.size = min(max(1, min(most, MOST_BYTES // largest)), len(items))
        self.order = np.random.default_rng(seed).permutation(len(items))
        self.ready: dict[int, Any] = {}

    def of_epoch(self, epoch: int) -> list[int]:
        """The numbers of the epoch's slices, epochs counted from 1."""
        first = (epoch - 1) * max(1, self.size // 4)
        return [int(self.order[(first + k) % len(self.items)]) for k in range(self.size)]

    def fill(self, epoch: int) -> None:
        """Forget what the epoch does not need and prepare what it does: before workers are forked, which then share it."""
        wanted = self.of_epoch(epoch)
        self.ready = {number: self.ready[number] for number in wanted if number in self.ready}
        for number in wanted:
            if number not in self.ready:
                self.ready[number] = self.prepare(self.items[number])

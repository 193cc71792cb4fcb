"""Raw slices in memory as long as a region's slabs need them, each read once, in order, and cut to its box."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from custom.region.plan import Plan
from custom.stack import Stack

_AT_ONCE = 1 << 25  # bytes that are read at a time, or one slice

Prepare = Callable[[int, np.ndarray], None]


class Window:
    """The boxes of some neighbouring slices.

    Args:
        stack: the raw stack.
        plan: says what of it is needed.
        capacity: slices that are held at most.
        dtype: in which they are held.
        prepare: is given the number of each slice and its box, and may change that.
    """

    def __init__(self, stack: Stack, plan: Plan, capacity: int, dtype: np.dtype, prepare: Prepare) -> None:
        self.stack, self.plan, self.prepare = stack, plan, prepare
        self.ring = np.empty((min(capacity, stack.shape[0]), *plan.box), dtype)
        self.flat = self.ring.reshape(-1)
        self.first = self.end = 0

    @property
    def step(self) -> int:
        """From a row of a box to the next, in `flat`."""
        return self.plan.box[1]

    def hold(self, low: int, high: int) -> None:
        """Make sure that the slices low, ..., high - 1 are there; those before `low` may go.

        Raises:
            BadInput: whatever reading raises.
        """
        if not self.first <= low <= self.end:
            self.first = self.end = low
        self.first = low
        at_once = max(1, _AT_ONCE // (self.stack.shape[1] * self.stack.shape[2] * self.stack.dtype.itemsize))
        while self.end < high:
            stop = min(self.end + at_once, high)
            self._take(self.end, self.stack.read(self.end, stop))
            self.end = stop

    def _take(self, start: int, slices: np.ndarray) -> None:
        height, width = self.plan.box
        for z, plane in enumerate(slices, start):
            y, x = self.plan.corner[z]
            box = self.box(z)
            box[...] = plane[y : y + height, x : x + width]
            self.prepare(z, box)

    def box(self, z: int) -> np.ndarray:
        """The box of a slice that is held, (h, w)."""
        place: np.ndarray = self.ring[z % len(self.ring)]
        return place

    def bases(self, low: int, high: int) -> np.ndarray:
        """For each of the slices, where the first voxel of the whole slice would lie in `flat`."""
        height, width = self.plan.box
        slots = np.arange(low, high, dtype=np.int64) % len(self.ring)
        corner = self.plan.corner[low:high]
        return slots * (height * width) - corner[:, 0] * width - corner[:, 1]

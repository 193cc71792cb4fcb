"""Slices of a stack with some before and behind, each read once as slabs follow one another."""

from __future__ import annotations

import numpy as np

from custom.pieces.directions import REACH
from custom.stack import Stack


class Around:
    """Reads a stack for slabs; what two neighbours share is kept from one to the next.

    Chunks are several slices tall: a slab of 16 with what lies around it touches three layers of them, two of which would
    be decoded once more for its neighbours.

    Args:
        stack: that is read.
    """

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._start, self._kept = 0, np.empty((0, *stack.shape[1:]), stack.dtype)

    def read(self, start: int, stop: int) -> np.ndarray:
        """The slices start, ..., stop - 1 with `REACH` more on all sides, as they end beyond the stack's."""
        low, high = max(start - REACH, 0), min(stop + REACH, self._stack.shape[0])
        end = self._start + len(self._kept)
        if self._start <= low < end < high:
            slices = np.concatenate([self._kept[low - self._start :], self._stack.read(end, high)])
        else:
            slices = self._stack.read(low, high)
        self._start = max(high - 2 * REACH, low)
        self._kept = slices[self._start - low :].copy()  # a view would hold them all
        missing = [(low - start + REACH, stop + REACH - high), (REACH, REACH), (REACH, REACH)]
        return np.pad(slices, missing, mode="edge")

"""A stack whose axes run the other way, or in another order, than in its file."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from custom.stack.stack import Stack

_KEPT_BYTES = 1 << 27  # of a stack whose file has another axis for z: so much is put together in one pass over it
_SLAB = 16


class TurnedStack(Stack):
    """The voxels of `stored` with axes exchanged and turned round; none is made anew.

    Where z stays z, what is read is what is asked for. Else every slice cuts through all slices of the file, so that as
    many as fit into 128 MB are put together at once and kept, in one pass over the file where it cannot be cut.

    Args:
        stored: the stack as its file has it.
        order: which of its axes (z, y, x), counted from 0, become z, y and x.
        flipped: whether z, y and x then run backwards.
    """

    def __init__(self, stored: Stack, order: Sequence[int], flipped: Sequence[bool]) -> None:
        z, y, x = (stored.shape[axis] for axis in order)
        size = stored.voxel_size
        if size is not None:
            um = size.um[order[0]], size.um[order[1]], size.um[order[2]]
            size = replace(size, um=um, contradicted_by=None)
        super().__init__(stored.path, (z, y, x), stored.dtype, size)
        self.files, self.step = stored.files, stored.step
        self._stored, self._order, self._flipped = stored, tuple(order), tuple(flipped)
        self._kept: tuple[int, np.ndarray] = 0, np.empty((0, y, x), stored.dtype)
        self._cuts = type(stored).read_box is not Stack.read_box

    @property
    def passes(self) -> int:
        """How often reading every slice in order reads the file, if it cannot be cut."""
        if self._cuts or self._order[0] == 0:
            return 1
        plane = math.prod(self.shape[1:]) * self.dtype.itemsize
        return math.ceil(self.shape[0] / max(_KEPT_BYTES // plane, 1))

    def _read(self, start: int, stop: int) -> np.ndarray:
        first, last = (self.shape[0] - stop, self.shape[0] - start) if self._flipped[0] else (start, stop)
        if self._order[0] == 0:
            planes = self._stored.read(first, last).transpose(self._order)
        else:
            planes = self._across(first, last)
        return planes[tuple(slice(None, None, -1 if flip else 1) for flip in self._flipped)]

    def _across(self, start: int, stop: int) -> np.ndarray:
        """Slices start, ..., stop - 1 along the axis of the file that becomes z, before any is turned round."""
        first, kept = self._kept
        if not first <= start < stop <= first + len(kept):
            plane = math.prod(self.shape[1:]) * self.dtype.itemsize
            count = max(stop - start, _KEPT_BYTES // plane)
            first, end = start, min(start + count, self.shape[0])
            if self._flipped[0]:  # which reads backwards
                first, end = max(stop - count, 0), stop
            kept = self._put_together(first, end)
            self._kept = first, kept
        return kept[start - first : stop - first]

    def _put_together(self, first: int, end: int) -> np.ndarray:
        depth = self._stored.shape[0]
        part = [slice(first, end) if axis == self._order[0] else slice(None) for axis in range(3)]
        if self._cuts:
            found = self._stored.read_box(slice(0, depth), part[1], part[2])
            return np.ascontiguousarray(found.transpose(self._order), self.dtype)
        kept = np.empty((end - first, *self.shape[1:]), self.dtype)
        for z in range(0, depth, _SLAB):
            slab = self._stored.read(z, min(z + _SLAB, depth))
            lies = [slice(None)] * 3
            lies[self._order.index(0)] = slice(z, z + len(slab))
            kept[tuple(lies)] = slab[tuple(part)].transpose(self._order)
        return kept

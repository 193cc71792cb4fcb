"""A stack whose axes run the other way, or in another order, than in its file."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from custom.stack.grain import Grain
from custom.stack.stack import Stack

_SLAB = 16
_BACKWARDS_BYTES = 1 << 28  # read at once from a stream that only runs forwards


class TurnedStack(Stack):
    """The voxels of `stored` with axes exchanged and turned round.

    Where another axis than z becomes z, every slice cuts through all slices of the file: its `grain` says so, and
    `plan_reading` sees to it that the file is not gone through for each.

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
        self.files, self.step, self.costly_again = stored.files, stored.step, stored.costly_again
        self._stored, self._order, self._flipped = stored, tuple(order), tuple(flipped)
        self._cuts = type(stored).read_box is not Stack.read_box
        self.grain = self._grain()

    def _grain(self) -> Grain:
        depth = self.shape[0]
        stored = self._stored.grain or Grain(self._stored.shape, range(self._stored.shape[0]), *self._stored.shape[1:])
        starts: Sequence[int] = stored.starts
        if self._order[0] == 0 and self._flipped[0]:
            starts = [depth - end for _, end in stored.layers(0, depth)][::-1]
            if self._stored.costly_again and stored.tallest == 1:
                plane = math.prod(self.shape[1:]) * self.dtype.itemsize
                starts = range(0, depth, max(_BACKWARDS_BYTES // plane, _SLAB))
        sides = (stored.tallest, stored.y, stored.x) if self._cuts else (1, *self._stored.shape[1:])
        tall, y, x = (sides[axis] for axis in self._order)
        return Grain(self.shape, starts if self._order[0] == 0 else range(0, depth, tall), y, x)

    def _read(self, start: int, stop: int) -> np.ndarray:
        return self.read_box(slice(start, stop))

    def read_box(self, z: slice, y: slice = slice(None), x: slice = slice(None)) -> np.ndarray:
        """See `Stack.read_box`."""
        part = [slice(None)] * 3
        for axis, flip, side, length in zip(self._order, self._flipped, (z, y, x), self.shape, strict=True):
            start, stop, _ = side.indices(length)
            part[axis] = slice(length - stop, length - start) if flip else slice(start, stop)
        found = self._part(*part).transpose(self._order)
        if not any(self._flipped):
            return found
        # a copy: torch takes no array that runs backwards in memory
        return found[tuple(slice(None, None, -1 if flip else 1) for flip in self._flipped)].copy()

    def _part(self, z: slice, y: slice, x: slice) -> np.ndarray:
        """A part of the stored stack; of one that cannot be cut, a few whole slices at a time."""
        if self._cuts:
            return self._stored.read_box(z, y, x)
        lengths = (side.stop - side.start for side in (z, y, x))
        found = np.empty(tuple(lengths), self.dtype)
        for start in range(z.start, z.stop, _SLAB):
            stop = min(start + _SLAB, z.stop)
            found[start - z.start : stop - z.start] = self._stored.read(start, stop)[:, y, x]
        return found

"""Slices out of chunks that are several slices tall: the layer of chunks that was read last is kept."""

import weakref
from collections import deque
from typing import TYPE_CHECKING

import numpy as np

from custom.stack.grain import Grain
from custom.stack.handle import Handle

if TYPE_CHECKING:
    from custom.stack.stack import Stack

# Of all stacks of a process, those that may keep a layer: an image and its label, which are read by turns.
_keepers: "deque[weakref.ref[KeptLayers]]" = deque(maxlen=2)


_NOTHING = np.empty(0)


class KeptLayers:
    """Reads layer by layer and keeps the last one, so that reading on does not decode it again.

    It is let go when two other stacks have kept one since.

    Args:
        grain: the layers.
    """

    def __init__(self, grain: Grain) -> None:
        self.grain = grain
        self._kept = Handle(_Kept)

    def read(self, stack: "Stack", start: int, stop: int) -> np.ndarray:
        """The slices start, ..., stop - 1 of `stack`, in memory of their own."""
        layers = list(self.grain.layers(start, stop))
        whole = [(first, end) for first, end in layers if start <= first and end <= stop]
        if len(whole) == len(layers):
            return stack.read_box(slice(start, stop))
        slices = np.empty((stop - start, *stack.shape[1:]), stack.dtype)
        if whole:  # at once, as that is faster than one by one
            first, end = whole[0][0], whole[-1][1]
            slices[first - start : end - start] = stack.read_box(slice(first, end))
        for first, end in layers:
            if (first, end) not in whole:
                low, high = max(first, start), min(end, stop)
                self._copy(stack, (first, end), slice(low, high), slices[low - start : high - start])
        return slices

    def _copy(self, stack: "Stack", layer: tuple[int, int], wanted: slice, target: np.ndarray) -> None:
        with self._kept.lend() as kept:
            if not kept.holds(layer, wanted.start):
                kept.layer, kept.voxels = (0, 0), _NOTHING  # before the next one takes as much
                self._become_keeper()
                kept.voxels, kept.layer = stack.read_box(slice(*layer)), layer
            begin = kept.layer[0]
            target[:] = kept.voxels[wanted.start - begin : wanted.stop - begin]
            kept.forget(wanted.stop, len(target))

    def _become_keeper(self) -> None:
        keepers = [keeper() for keeper in _keepers]
        if self not in keepers:
            if len(keepers) == _keepers.maxlen and keepers[0] is not None:
                keepers[0].let_go()
            _keepers.append(weakref.ref(self))

    def let_go(self) -> None:
        """Free the layer."""
        self._kept.close()


class _Kept:
    """A layer (first slice, end) without slices at its beginning that are done with, and its voxels, if any."""

    def __init__(self) -> None:
        self.layer = (0, 0)
        self.voxels = _NOTHING

    def holds(self, layer: tuple[int, int], start: int) -> bool:
        """Whether the slices from `start` to the end of `layer` are here."""
        return self.layer[1] == layer[1] and self.layer[0] <= start

    def forget(self, stop: int, height: int) -> None:
        """Let go of the slices up to `stop`, of which the last `height` were read, where that takes no more memory meanwhile.

        A single slice says nothing of what is read next: a training draws them.
        """
        begin, end = self.layer
        if height == 1 or not end - stop <= height or end - begin > 2 * height:
            return
        self.voxels = self.voxels[stop - begin :].copy() if stop < end else _NOTHING
        self.layer = (stop, end) if stop < end else (0, 0)

    def close(self) -> None:
        """Forgotten with the object itself, which a thread may still copy from."""

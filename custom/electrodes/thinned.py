"""A stack thinned out across the thickness, for what is smooth there and sharp along it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

_MOST_BYTES = 1 << 27
_MOST_SLICES = 256
_SLAB = 16


class Readable(Protocol):
    """A stack, as far as it is needed here."""

    @property
    def shape(self) -> tuple[int, int, int]: ...
    @property
    def dtype(self) -> np.dtype: ...
    def read(self, start: int, stop: int) -> np.ndarray:
        """The slices start, ..., stop - 1."""


@dataclass(frozen=True)
class Thinned:
    """Some columns of a stack along one axis.

    Attributes:
        columns: (n, T, m) of the stack's type, all voxels along the axis.
        places: of the n and the m columns along the other two axes, in their order, voxels.
    """

    columns: np.ndarray
    places: tuple[np.ndarray, np.ndarray]


def thinned(stack: Readable, axis: int) -> Thinned:
    """Columns along an axis, evenly spaced across it; along z, at most 256 slices are read unless the axis is z itself."""
    shape = stack.shape
    across = [other for other in range(3) if other != axis]
    steps = dict.fromkeys(range(3), 1)
    if axis != 0:
        steps[0] = -(-shape[0] // _MOST_SLICES)
    while np.prod([-(-shape[i] // steps[i]) for i in range(3)]) * stack.dtype.itemsize > _MOST_BYTES:
        widest = max(across, key=lambda other: shape[other] / steps[other])
        steps[widest] += 1
    # in the middle of what each stands for
    places = {other: np.arange((steps[other] - 1) // 2, shape[other], steps[other]) for other in range(3)}
    cut = np.ix_(places[1], places[2])
    if axis == 0:
        parts = [
            stack.read(start, min(start + _SLAB, shape[0]))[:, cut[0], cut[1]] for start in range(0, shape[0], _SLAB)
        ]
    else:
        parts = [stack.read(int(z), int(z) + 1)[:, cut[0], cut[1]] for z in places[0]]
    return Thinned(np.moveaxis(np.concatenate(parts), axis, 1), (places[across[0]], places[across[1]]))


def block_places(places: np.ndarray, block: int) -> np.ndarray:
    """Middles of blocks of places; a rest at the end that fills no block is left out."""
    whole = len(places) // block * block
    return np.asarray(places[:whole].reshape(-1, block).mean(axis=1))


def in_blocks(columns: np.ndarray, block: int) -> np.ndarray:
    """(n, ..., m) -> (n / block, block, ..., m / block, block), without the rests."""
    n, m = (length // block * block for length in (columns.shape[0], columns.shape[-1]))
    part = columns[:n, ..., :m]
    return part.reshape(n // block, block, *part.shape[1:-1], m // block, block)

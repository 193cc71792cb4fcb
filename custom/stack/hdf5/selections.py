"""Selections of HDF5 as positions along each axis."""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import h5py
import numpy as np

Positions = tuple[np.ndarray, ...]


class Picked(NamedTuple):
    """What a selection of HDF5 says, without the selection itself.

    With thousands of them alive, h5py would look at each whenever it closes a file.

    Attributes:
        kind: as HDF5 numbers it.
        axes: of how many axes.
        points: how many elements; -1 where it has no end.
        regular: start, stride, count and block along each axis, where it is the product of one such pattern.
        blocks: else first and last corner of each block, int (N, 2, axes).
    """

    kind: int
    axes: int
    points: int = -1
    regular: tuple[tuple[int, ...], ...] | None = None
    blocks: np.ndarray | None = None

    @property
    def endless(self) -> int | None:
        """The axis along which it has no end."""
        if self.regular is None:
            return None
        _, _, count, block = self.regular
        unlimited = h5py.h5s.UNLIMITED
        return next((axis for axis, sizes in enumerate(zip(count, block, strict=True)) if unlimited in sizes), None)


def picked(space: h5py.h5s.SpaceID) -> Picked:
    """What a selection says."""
    kind, axes = space.get_select_type(), space.get_simple_extent_ndims()
    if kind != h5py.h5s.SEL_HYPERSLABS:
        return Picked(kind, axes)
    if space.is_regular_hyperslab():
        return Picked(kind, axes, regular=tuple(tuple(map(int, part)) for part in space.get_regular_hyperslab()))
    return Picked(kind, axes, space.get_select_npoints(), blocks=np.asarray(space.get_select_hyper_blocklist(), int))


def positions(selection: Picked, shape: Sequence[int]) -> list[Positions]:
    """The elements that a selection holds, as products of ascending positions along each axis.

    A selection without end runs to the end of `shape`; another one may reach beyond it.

    Args:
        selection: of some elements.
        shape: of the dataset that it selects from.

    Returns:
        One product, unless the selection is none: then each of the blocks that it is made of. Nothing where it is empty.
    """
    if selection.kind == h5py.h5s.SEL_ALL:
        return [tuple(_along(0, 1, 1, length) for length in shape)]
    if selection.regular is not None:
        found = tuple(_clipped(*axis) for axis in zip(*selection.regular, shape, strict=True))
        return [found] if all(map(len, found)) else []
    if selection.blocks is None:
        return []
    blocks = selection.blocks
    axes_of = [sorted({(int(first), int(last)) for first, last in blocks[:, :, axis]}) for axis in range(len(shape))]
    merged = tuple(np.unique(np.concatenate([_along(a, 1, 1, b - a + 1) for a, b in runs])) for runs in axes_of)
    if np.prod([len(found) for found in merged]) == selection.points:
        return [merged]
    return [tuple(_along(int(a), 1, 1, int(b - a + 1)) for a, b in block.T) for block in blocks]


def _clipped(start: int, stride: int, count: int, block: int, length: int) -> np.ndarray:
    left = max(length - start, 0)
    if count == h5py.h5s.UNLIMITED:
        found = _along(start, stride, -(-left // stride), block)
        return found[found < length]
    return _along(start, stride, count, left if block == h5py.h5s.UNLIMITED else block)


@lru_cache(maxsize=64)
def _along(start: int, stride: int, count: int, block: int) -> np.ndarray:
    """Shared by all sources that select alike along an axis: there may be thousands."""
    found: np.ndarray = (start + stride * np.arange(count)[:, None] + np.arange(block)).ravel()
    found.flags.writeable = False
    return found

"""Selections of HDF5 as positions along each axis."""

from collections.abc import Sequence
from functools import lru_cache

import h5py
import numpy as np

Positions = tuple[np.ndarray, ...]


def positions(space: h5py.h5s.SpaceID, shape: Sequence[int]) -> list[Positions]:
    """The elements that a selection holds, as products of ascending positions along each axis.

    A selection without end runs to the end of `shape`; another one may reach beyond it.

    Args:
        space: with the selection.
        shape: of the dataset that it selects from.

    Returns:
        One product, unless the selection is none: then each of the blocks that it is made of. Nothing where it is empty.
    """
    kind = space.get_select_type()
    if kind == h5py.h5s.SEL_ALL:
        return [tuple(_along(0, 1, 1, length) for length in shape)]
    if kind != h5py.h5s.SEL_HYPERSLABS:
        return []
    if space.is_regular_hyperslab():
        axes = zip(*space.get_regular_hyperslab(), shape, strict=True)
        found = tuple(_clipped(*(int(number) for number in axis)) for axis in axes)
        return [found] if all(map(len, found)) else []
    blocks = np.asarray(space.get_select_hyper_blocklist(), int)
    axes_of = [sorted({(int(first), int(last)) for first, last in blocks[:, :, axis]}) for axis in range(len(shape))]
    merged = tuple(np.unique(np.concatenate([_along(a, 1, 1, b - a + 1) for a, b in runs])) for runs in axes_of)
    if np.prod([len(found) for found in merged]) == space.get_select_npoints():
        return [merged]
    return [tuple(_along(int(a), 1, 1, int(b - a + 1)) for a, b in block.T) for block in blocks]


def endless_axis(space: h5py.h5s.SpaceID) -> int | None:
    """The axis along which a selection has no end."""
    if space.get_select_type() != h5py.h5s.SEL_HYPERSLABS or not space.is_regular_hyperslab():
        return None
    _, _, count, block = space.get_regular_hyperslab()
    endless = h5py.h5s.UNLIMITED
    return next((axis for axis, sizes in enumerate(zip(count, block, strict=True)) if endless in sizes), None)


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

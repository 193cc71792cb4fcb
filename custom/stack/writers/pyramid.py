"""The levels of a stack with an overview: each takes blocks of 2 x 2 x 2 voxels of the level before it together."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

LARGEST_PLANE = 256  # where a viewer begins: a plane of this many pixels along y and x is there at once


@dataclass(frozen=True)
class Level:
    """One level.

    Attributes:
        shape: (Z, Y, X).
        factors: length of its voxels along (z, y, x) in voxels of the full stack. An axis of one voxel stays as it is,
            so the three may differ.
    """

    shape: tuple[int, ...]
    factors: tuple[int, ...]

    @property
    def shift(self) -> tuple[float, ...]:
        """How far the centre of its first voxel lies from that of the full stack, in voxels of the full stack."""
        return tuple((factor - 1) / 2 for factor in self.factors)


def levels_of(shape: tuple[int, int, int]) -> list[Level]:
    """The full stack, then half of it and so on, until Y and X are at most `LARGEST_PLANE`.

    Odd lengths are rounded up, so that no voxel is left out.
    """
    levels = [Level(shape, (1, 1, 1))]
    while max(levels[-1].shape[1:]) > LARGEST_PLANE:
        finer = levels[-1]
        factors = tuple(f * min(n, 2) for f, n in zip(finer.factors, finer.shape, strict=True))
        levels.append(Level(tuple(-(-n // 2) for n in finer.shape), factors))
    return levels


def halve(slab: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The maximum of each block of 2 x 2 x 2 voxels, of what is left of it at an odd end.

    A maximum, because a mean or every other voxel would make a dendrite one voxel thick fade away or fall apart.

    Args:
        slab: (h, Y, X), beginning at an even slice.

    Returns:
        A new slab, (h / 2, Y / 2, X / 2) rounded up, of the same type.
    """
    for axis in range(3):
        ahead = slab.swapaxes(0, axis)
        halved = ahead[::2].copy(order="K")  # keeps x the fastest axis in memory
        pairs = len(ahead) // 2
        np.maximum(halved[:pairs], ahead[1::2], out=halved[:pairs])
        slab = halved.swapaxes(0, axis)
    return slab


def halved_classes(slab: npt.NDArray[np.uint8], classes: int) -> npt.NDArray[np.uint8]:
    """The most frequent class of each block of 2 x 2 x 2 voxels, of what is left of it at an odd end.

    A block is background only if all of it is, since else what is one voxel thick would fade away. Of classes that are
    equally frequent in a block, the one that is rarer in the slab stands for it: a layer between two others has half of
    its blocks' voxels at most, and would be gone where always the higher value wins, or always the lower.

    Args:
        slab: (h, Y, X) of 0 and the values 1 to `classes`, beginning at an even slice.

    Returns:
        A new slab, (h / 2, Y / 2, X / 2) rounded up.
    """
    counts = np.bincount(slab.ravel(), minlength=1 + classes)
    rarest_first = [value for value in np.argsort(counts, kind="stable").tolist() if value and counts[value]]
    halved = np.zeros([-(-n // 2) for n in slab.shape], np.uint8)
    for coarse, pair in zip(halved, (slab[z : z + 2] for z in range(0, len(slab), 2)), strict=True):
        most = np.zeros(coarse.shape, np.uint8)
        for value in rarest_first:
            frequent = _of_blocks(pair == value)
            coarse[frequent > most] = value
            np.maximum(most, frequent, out=most)
    return halved


def _of_blocks(found: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint8]:
    """How many voxels of each block of one or two slices (h, Y, X) are true, (Y / 2, X / 2) rounded up."""
    flat = found.sum(axis=0, dtype=np.uint8)
    for axis in range(2):
        ahead = flat.swapaxes(0, axis)
        halved = ahead[::2].copy()
        halved[: len(ahead) // 2] += ahead[1::2]
        flat = halved.swapaxes(0, axis)
    return flat

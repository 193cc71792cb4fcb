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

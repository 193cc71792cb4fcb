"""How voxels lie in a file that has nothing but voxels, whoever says so."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from custom.base.errors import BadInput
from custom.stack.axes import find_axes
from custom.stack.block import Block, open_block
from custom.stack.selection import Selection
from custom.stack.stack import Stack
from custom.stack.units import VoxelSize


@dataclass(frozen=True)
class Layout:
    """How a volume lies in a raw file, x the fastest.

    Attributes:
        shape: (Z, Y, X).
        dtype: with its byte order.
        source: who says so, for a sentence: "cell.vgi", "--raw_shape and --raw_dtype".
        offset: bytes before the first voxel.
        voxel_size: if it is stated too.
        header: the file that says so, if it is one.
    """

    shape: tuple[int, int, int]
    dtype: np.dtype
    source: str
    offset: int = 0
    voxel_size: VoxelSize | None = None
    header: Path | None = None

    def open(self, path: Path, file: Path, chosen: Selection) -> Stack:
        """The stack at `path` whose voxels are those of `file`, which must be as long as that.

        Raises:
            BadInput: it is longer or shorter.
        """
        needed = self.offset + math.prod(self.shape) * self.dtype.itemsize
        present = file.stat().st_size
        if needed != present:
            z, y, x = self.shape
            raise BadInput(
                f"{file}: has {present} bytes, but {x} x {y} x {z} voxels (x, y, z) of {self.dtype.newbyteorder('=')} as {self.source} "
                f"has it are {needed}; mend that, or copy the file again from its source."
            )
        stack = open_block(
            path, Block(file, self.offset, find_axes(path, self.shape, chosen), self.dtype), self.voxel_size
        )
        stack.files = list(dict.fromkeys([path, file, *([self.header] if self.header else [])]))
        return stack


def shape_of(lengths: object) -> tuple[int, int, int]:
    """Three lengths (z, y, x), each a whole number of 1 or more; ValueError where they are not."""
    numbers = [int(length) for length in lengths] if isinstance(lengths, (list, tuple)) else []
    if len(numbers) != 3 or min(numbers) < 1:
        raise ValueError(f"{lengths!r} is no size (z, y, x)")
    return numbers[0], numbers[1], numbers[2]


def dtype_of(name: object) -> np.dtype:
    """The type that a name of numpy's stands for, such as uint16 or >f4, little-endian unless it says otherwise.

    Raises:
        ValueError: it is none of whole or decimal numbers.
    """
    try:
        dtype = np.dtype(str(name))
    except TypeError:
        dtype = np.dtype(object)
    if dtype.kind not in "iuf":
        raise ValueError(f"{name!r} is no type of grey values")
    return dtype if str(name).startswith(">") else dtype.newbyteorder("<")

"""What a file gives only as a whole: layers of chunks, each as tall as several slices."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from custom.stack.axes import Axes

_PAGE = 4096

Box = tuple[slice, slice, slice]
Layer = tuple[int, int]


@dataclass(frozen=True)
class Grain:
    """How a stack is cut into chunks, each of which is read and decoded as a whole.

    Attributes:
        shape: of the stack, (Z, Y, X).
        starts: the first slice of each layer of chunks, ascending, 0 the first.
        y, x: sides of a chunk.
    """

    shape: tuple[int, int, int]
    starts: Sequence[int]
    y: int
    x: int

    @property
    def tallest(self) -> int:
        """Slices of the tallest layer."""
        return max(end - first for first, end in self.layers(0, self.shape[0]))

    def layers(self, start: int, stop: int) -> list[Layer]:
        """First slice and end of each layer that the slices start, ..., stop - 1 touch."""
        ends = [*self.starts[1:], self.shape[0]]
        return [(first, end) for first, end in zip(self.starts, ends, strict=True) if first < stop and end > start]

    def bands(self, most: int) -> "Grain":
        """The same with every layer cut into bands of at most `most` slices, as even as can be."""
        starts: list[int] = []
        for first, end in self.layers(0, self.shape[0]):
            parts = math.ceil((end - first) / most)
            starts += [first + (end - first) * part // parts for part in range(parts)]
        return Grain(self.shape, starts, self.y, self.x)

    def boxes(self, layer: Layer, most: int) -> Iterator[Box]:
        """Cut a layer into boxes of whole chunks with at most `most` voxels, or one chunk; rows of chunks if they fit."""
        height, (_, rows, columns) = layer[1] - layer[0], self.shape
        y = self.y * max(most // (height * self.y * columns), 1)
        x = columns if height * self.y * columns <= most else self.x * max(most // (height * self.y * self.x), 1)
        for top in range(0, rows, y):
            for left in range(0, columns, x):
                yield slice(*layer), slice(top, min(top + y, rows)), slice(left, min(left + x, columns))


def grain_of_chunks(axes: Axes, chunks: Sequence[int]) -> Grain:
    """The grain of an array that is cut into a regular grid of `chunks` (a length along each stored axis)."""
    depth, height, width = axes.shape
    tall = 1 if axes.z is None else min(chunks[axes.z], depth)
    return Grain(axes.shape, range(0, depth, tall), min(chunks[axes.y], height), min(chunks[axes.x], width))


def grain_of_layers(axes: Axes, starts: Sequence[np.ndarray]) -> Grain:
    """The grain of an array whose chunks differ in shape, by where their layers begin along each stored axis.

    Where layers begin at no regular distance, parts of a layer cut through chunks, rather than be as large as it is.
    """
    first = [0] if axes.z is None else starts[axes.z].tolist()
    return Grain(axes.shape, first, *(_side(starts[axis], axes.lengths[axis]) for axis in (axes.y, axes.x)))


def _side(starts: np.ndarray, length: int) -> int:
    """The least distance of which all multiples begin a layer, else the longest layer."""
    regular = (side for side in starts[1:].tolist() if np.isin(np.arange(0, length, side), starts).all())
    return next(regular, int(np.diff(starts, append=length).max()))


def grain_of_block(axes: Axes, itemsize: int, order: str = "C") -> Grain:
    """The grain of voxels that lie one after another: the system reads pages, as long as many places along a fast axis.

    What is cut along the slowest of z, y and x lies one after another, and is read so.
    """
    steps = np.cumprod([itemsize, *(axes.lengths[::-1] if order == "C" else axes.lengths)])[:-1]
    steps = steps[::-1] if order == "C" else steps
    own = [0 if axis is None else int(steps[axis]) for axis in (axes.z, axes.y, axes.x)]
    sides = [
        1 if step in (0, max(own)) else min(max(_PAGE // step, 1), length)
        for step, length in zip(own, axes.shape, strict=True)
    ]
    return Grain(axes.shape, range(0, axes.shape[0], sides[0]), sides[1], sides[2])

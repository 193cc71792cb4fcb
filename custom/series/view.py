"""What a scan is registered by: a copy in memory, in voxels as large as it takes to have 8 million of them at most."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from custom.measuring.reading import Cell
from custom.stack import slabs

MOST = 8_000_000  # voxels of the copy


@dataclass(frozen=True)
class View:
    """The copy.

    Attributes:
        values: float32 (Z, Y, X), means over blocks of grey values; without a grey stack 1 in lithium, and -1 in an electrode.
        lithium: float32 (Z, Y, X), share of lithium in each block.
        factor: how many voxels along each axis are one of it; a rest at the end that fills no block is left out.
        size: (3,) of a voxel of the scan itself, z, y, x, in its unit.
        has_grey: whether `values` are grey values.
    """

    values: np.ndarray
    lithium: np.ndarray
    factor: int
    size: np.ndarray
    has_grey: bool

    @property
    def step(self) -> np.ndarray:
        """(3,) of a voxel of the copy, in the unit of `size`."""
        return np.asarray(self.factor * self.size)

    @property
    def first(self) -> np.ndarray:
        """(3,) where the middle of the copy's first voxel lies: the scan's first voxel is at 0."""
        return np.asarray((self.factor - 1) / 2 * self.size)


def factor_for(shape: tuple[int, int, int], most: int = MOST) -> int:
    """The least factor that leaves no more than `most` voxels."""
    factor = 1
    while math.prod(length // factor for length in shape) > most and factor < min(shape):
        factor += 1
    return factor


def values_of(cell: Cell, start: int, stop: int, y: slice = slice(None), x: slice = slice(None)) -> np.ndarray:
    """What a scan is registered by, of a part of it: float32 (stop - start, ...), see `View.values`."""
    if cell.grey is not None:
        return np.nan_to_num(cell.grey.read(start, stop)[:, y, x].astype(np.float32))
    found = np.isin(cell.mask.read(start, stop), cell.lithium).astype(np.float32)
    if cell.electrodes is not None:
        depth = cell.electrodes.distances(start, stop, cell.mask.shape, cell.voxel_size).min(axis=0)
        # where lithium meets an electrode there is an edge too, and a surface between voxels is not rounded to one
        along = cell.voxel_size[cell.electrodes.axis]
        found -= np.clip(0.5 - depth / along, 0, 1) * (1 + found)
    return found[:, y, x]


def view_of(cell: Cell, factor: int) -> View:
    """Read a scan once, some slices at a time.

    Args:
        factor: see `View`.
    """
    parts: list[np.ndarray] = []
    lithium: list[np.ndarray] = []
    height = factor * max(1, 16 // factor)
    for slab in slabs(cell.mask, height):
        part = values_of(cell, slab.start, slab.stop)
        mask = np.isin(slab.read(), cell.lithium).astype(np.float32)
        parts.append(in_blocks(part, factor))
        lithium.append(in_blocks(mask, factor))
    values = np.concatenate(parts)
    return View(values, np.concatenate(lithium), factor, np.array(cell.voxel_size), cell.grey is not None)


def in_blocks(part: np.ndarray, factor: int) -> np.ndarray:
    """Means over blocks of `factor` voxels along each axis, float32; rests are left out."""
    if factor == 1:
        return part
    z, y, x = (length // factor for length in part.shape)
    whole = part[: z * factor, : y * factor, : x * factor]
    return np.asarray(whole.reshape(z, factor, y, factor, x, factor).mean(axis=(1, 3, 5), dtype=np.float32))

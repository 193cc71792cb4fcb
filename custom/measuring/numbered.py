"""The second way through a cell, now that it is known which pieces of its slabs are one: each voxel has its piece's number."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise

import numpy as np

from custom.measuring.agglomerates import Agglomerates
from custom.measuring.cell_slab import CellSlab
from custom.measuring.coarse import Coarse
from custom.measuring.reading import Cell
from custom.pieces.labelled import label_slab
from custom.stack import Slab

NOTHING = -1
Numbered = tuple[CellSlab, np.ndarray]  # int32 (h, Y, X): 0 is the largest piece, -1 none


def numbered(cell: Cell, parts: Sequence[Slab], agglomerates: Agglomerates, threads: int) -> Iterator[Numbered]:
    """The slabs in their order, with the number of the piece that each voxel belongs to.

    Args:
        parts: the slabs that the pieces were found in.
        agglomerates: with all slabs added.
        threads: that number them, while the next one is read.
    """
    numbers, cell = agglomerates.pieces().numbers, replace(cell, probability=None, deviation=None)
    limits = pairwise([*agglomerates.first_of_slab, len(numbers)])

    def number(slab: CellSlab, first: int, end: int) -> Numbered:
        found = label_slab(slab.with_behind(slab.padded), slab.height, 26)
        return slab, found.runs.painted(numbers[first:end][found.numbers - 1], NOTHING, slab.height)

    with ThreadPoolExecutor(threads, "numbering") as pool:
        waiting: deque[Future[Numbered]] = deque()
        for slab, limit in zip(cell.slabs(parts), limits, strict=True):
            waiting.append(pool.submit(number, slab, *limit))
            if len(waiting) == threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


class CoarseNumbers:
    """The numbers of pieces in the voxels of the coarse copy; of several the largest piece's.

    Args:
        coarse: that the copy is made by.
    """

    def __init__(self, coarse: Coarse) -> None:
        self.factor = coarse.factor
        self.found = np.full(coarse.small, np.iinfo(np.uint32).max, np.uint32)

    def add(self, slab: CellSlab, number: np.ndarray) -> None:
        """Slabs follow one another."""
        kept = number.view(np.uint32)  # of which no piece is the largest
        for axis in (2, 1):
            kept = np.minimum.reduceat(kept, np.arange(0, kept.shape[axis], self.factor), axis)
        for z, plane in enumerate(kept, slab.start):
            row = self.found[z // self.factor]
            np.minimum(row, plane, out=row)

    def numbers(self) -> np.ndarray:
        """int32 (Z, Y, X), -1 where there is no lithium; when all slabs were added."""
        return self.found.view(np.int32)

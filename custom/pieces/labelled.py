"""The pieces that a slab cuts out of a mask, numbered within it, and what says which are one with those of the next slab."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from custom.pieces.runs import Runs


@dataclass(frozen=True)
class Labelled:
    """Pieces of the slices of one slab and of the slice behind it.

    A slice that two slabs share falls into the same flat pieces for both. Each is part of one piece of either slab, which
    are one therefore. So a slab need not keep a slice of labels to be joined to the next.

    Attributes:
        runs: of the slab and the slice behind it, or of the slab alone at the end of the stack.
        numbers: int32, the piece that each run belongs to: 1, 2, ...
        pieces: how many there are.
        first: int32, the piece that each flat piece of the first slice belongs to, in the order of the flat pieces.
        last: the same of the slice behind, empty at the end of the stack.
    """

    runs: Runs
    numbers: np.ndarray
    pieces: int
    first: np.ndarray
    last: np.ndarray


def label_slab(found: np.ndarray, height: int, connectivity: int) -> Labelled:
    """Number the pieces of a slab.

    Args:
        found: bool (h + 1, Y, X), the slab and the slice behind it, or (h, Y, X) at the end of the stack.
        height: of the slab, h.
        connectivity: 6 or 26 neighbours.
    """
    runs = Runs.of(found)
    pieces, numbers = runs.numbered(connectivity, 0, len(found))
    first = _of_flat_pieces(runs, numbers, connectivity, 0)
    last = _of_flat_pieces(runs, numbers, connectivity, height) if len(found) > height else np.zeros(0, np.int32)
    return Labelled(runs, numbers, pieces, first, last)


def _of_flat_pieces(runs: Runs, numbers: np.ndarray, connectivity: int, z: int) -> np.ndarray:
    """The piece of each flat piece of a slice, int32."""
    count, flat = runs.numbered(connectivity, z, z + 1)
    pieces, begin = np.empty(count, np.int32), runs.rows[z * runs.shape[1]]
    pieces[flat - 1] = numbers[begin : begin + len(flat)]
    return pieces


class Joining:
    """Pieces of a stack from those of its slabs, which are added in their order."""

    def __init__(self) -> None:
        self.pieces = 0
        self._before = np.zeros(0, np.int64)
        self._edges: list[np.ndarray] = []

    def add(self, pieces: int, first: np.ndarray, last: np.ndarray) -> int:
        """Take up the pieces of a slab, as in `Labelled`; returns the number that its first piece has among all."""
        start, self.pieces = self.pieces, self.pieces + pieces
        if len(self._before):
            edges = np.stack([self._before, start - 1 + first.astype(np.int64)])
            self._edges.append(np.unique(edges, axis=1).astype(np.int32))
        self._before = start - 1 + last.astype(np.int64)
        return start

    def joined(self) -> tuple[int, np.ndarray]:
        """How many pieces there are in the stack, and which each of the slabs' is: int32 (pieces,), by first appearance."""
        edges = np.concatenate(self._edges, axis=1) if self._edges else np.zeros((2, 0), np.int32)
        ones = np.ones(edges.shape[1], np.int8)
        count, numbers = connected_components(coo_array((ones, edges), (self.pieces, self.pieces)), directed=False)
        _, appearance = np.unique(numbers, return_index=True)
        order = np.empty(count, np.int32)
        order[np.argsort(appearance)] = np.arange(count, dtype=np.int32)
        return count, order[numbers]

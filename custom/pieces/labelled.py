"""The pieces that a slab cuts out of a mask, numbered within it, and what says which are one with those of the next slab."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

_RANK = {6: 1, 26: 3}  # how many coordinates of neighbours may differ, as scipy counts it


@dataclass(frozen=True)
class Labelled:
    """Pieces of the slices of one slab and of the slice behind it.

    A slice that two slabs share falls into the same flat pieces for both. Each is part of one piece of either slab, which
    are one therefore. So a slab need not keep a slice of labels to be joined to the next.

    Attributes:
        labels: int32 (h + 1, Y, X), or (h, Y, X) at the end of the stack; 0 is no piece, the pieces are 1, 2, ...
        pieces: how many there are.
        first: int32, the piece that each flat piece of the first slice belongs to, in the order of the flat pieces.
        last: the same of the slice behind, empty at the end of the stack.
    """

    labels: np.ndarray
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
    structure = ndimage.generate_binary_structure(3, _RANK[connectivity])
    labels, pieces = ndimage.label(found, structure, output=np.int32)
    behind = labels[height] if len(found) > height else labels[:0].reshape(0, found.shape[2])
    return Labelled(labels, pieces, *(_of_flat_pieces(plane, structure[1]) for plane in (labels[0], behind)))


def _of_flat_pieces(labels: np.ndarray, structure: np.ndarray) -> np.ndarray:
    """The label of each flat piece of a slice (Y, X), int32."""
    flat, count = ndimage.label(labels, structure)
    piece = np.zeros(count + 1, np.int32)
    piece[flat] = labels
    return piece[1:]


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
            self._edges.append(np.unique(edges, axis=1))
        self._before = start - 1 + last.astype(np.int64)
        return start

    def joined(self) -> tuple[int, np.ndarray]:
        """How many pieces there are in the stack, and which each of the slabs' is: int32 (pieces,), by first appearance."""
        edges = np.concatenate(self._edges, axis=1) if self._edges else np.zeros((2, 0), np.int64)
        ones = np.ones(edges.shape[1], np.int8)
        count, numbers = connected_components(coo_array((ones, edges), (self.pieces, self.pieces)), directed=False)
        _, appearance = np.unique(numbers, return_index=True)
        order = np.empty(count, np.int32)
        order[np.argsort(appearance)] = np.arange(count, dtype=np.int32)
        return count, order[numbers]

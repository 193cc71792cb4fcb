"""Branches of the largest agglomerates: how long their middle line is, and how many tips it has."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import minimum_spanning_tree
from skimage.morphology import skeletonize

from custom.measuring.cell_slab import CellSlab, Lengths
from custom.measuring.found import Pieces
from custom.pieces.bridging import neighbours

_MOST = 200_000_000  # voxels of all boxes together, a byte each


class Skeletons:
    """Takes up the largest pieces slab by slab, and thins each to its middle line.

    By T. C. Lee, R. L. Kashyap and C.-N. Chu, CVGIP: Graph. Models Image Process. 56:462 (1994), as scikit-image has it. A
    thin piece's line ends half its thickness before its tips.

    Args:
        pieces: the largest first.
        count: how many of them, as far as their boxes have `_MOST` voxels together.
        voxel_size: (z, y, x) in um, or three times 1.
    """

    def __init__(self, pieces: Pieces, count: int, voxel_size: Lengths) -> None:
        self.voxel_size = voxel_size
        low, high = pieces.table["low"][:count], pieces.table["high"][:count]
        shapes = high - low + 1
        kept = int(np.searchsorted(np.cumsum(np.prod(shapes.astype(np.int64), axis=1)), _MOST, side="right"))
        self._low = low[:kept]
        self._bodies = [np.zeros(shape, bool) for shape in shapes[:kept].tolist()]

    def add(self, slab: CellSlab, number: np.ndarray) -> None:
        """Take up the next slab.

        Args:
            number: int (h, Y, X), of each voxel's piece, -1 where there is none.
        """
        for piece, (low, body) in enumerate(zip(self._low.tolist(), self._bodies, strict=True)):
            first, end = max(low[0], slab.start), min(low[0] + len(body), slab.start + slab.height)
            if first < end:
                box = tuple(slice(at, at + length) for at, length in zip(low[1:], body.shape[1:], strict=True))
                body[first - low[0] : end - low[0]] = (
                    number[(slice(first - slab.start, end - slab.start), *box)] == piece
                )

    def found(self) -> list[tuple[float, int]]:
        """Length in the voxel size's unit and number of tips, of the largest pieces."""
        return [length_and_tips(body, self.voxel_size) for body in self._bodies]


def length_and_tips(body: np.ndarray, voxel_size: Lengths) -> tuple[float, int]:
    """Of a piece's middle line: the edges of the shortest tree that joins its voxels, and the ends of that tree.

    Args:
        body: bool (Z, Y, X), one piece.
        voxel_size: (z, y, x).
    """
    line = np.argwhere(skeletonize(np.pad(body, 1)))
    if len(line) < 2:
        return 0.0, len(line)
    numbers = np.full(np.array(body.shape) + 4, -1, np.int64)
    numbers[tuple((line + 1).T)] = np.arange(len(line))
    ends, others, lengths = [], [], []
    for step in neighbours(26)[13:]:  # each pair once
        there = numbers[tuple((line + 1 + step).T)]
        held = np.flatnonzero(there >= 0)
        ends.append(held)
        others.append(there[held])
        lengths.append(np.full(len(held), np.linalg.norm(step * np.array(voxel_size))))
    edges = (np.concatenate(ends), np.concatenate(others))
    tree = minimum_spanning_tree(coo_array((np.concatenate(lengths), edges), (len(line), len(line)))).tocoo()
    degree = np.bincount(np.concatenate([tree.row, tree.col]), minlength=len(line))
    return float(tree.data.sum()), int((degree == 1).sum())

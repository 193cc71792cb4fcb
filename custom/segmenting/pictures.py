"""The slices that the pictures of a segmentation show, taken while their slab is in memory: no file is read for them again."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch

from custom.quantities.amounts import value_counts

PICTURES = 5  # the stack is cut into so many parts along z; of each the richest slice is shown


def richness(plane: np.ndarray, classes: int) -> int:
    """How much a slice of a mask shows: the product of its voxels, plus 1, of each class.

    So it is the slice with most lithium where that is all that is looked for; else a rare class counts as much as a
    common one, which a sum would hide it behind.
    """
    return math.prod((value_counts(plane, classes)[1:] + 1).tolist())


def shown(found: Sequence[int]) -> list[int]:
    """The richest slice of each of `PICTURES` equal parts of a stack, given its `richness` slice by slice."""
    best = Richest(len(found))
    for z, rich in enumerate(found):
        best.take(z, rich)
    return best.slices


class Richest:
    """The richest slice of each part of a stack, the first of those that are equal, of all that it was told.

    Args:
        depth: slices of the stack.
        classes: of its mask.
    """

    def __init__(self, depth: int, classes: int = 1) -> None:
        self._depth, self._parts, self._classes = depth, min(PICTURES, depth), classes
        self._best: dict[int, tuple[int, int]] = {}

    @property
    def slices(self) -> list[int]:
        """In the order of the parts' first slices."""
        return [z for z, _ in self._best.values()]

    def take(self, z: int, found: int) -> bool:
        """Tell of a slice and its `richness`; whether it is the richest so far."""
        part = z * self._parts // self._depth
        richer = part not in self._best or found > self._best[part][1]
        if richer:
            self._best[part] = z, found
        return richer

    def of_slab(
        self, start: int, mask: np.ndarray, grey: torch.Tensor, outside: torch.Tensor | None
    ) -> dict[int, np.ndarray]:
        """Tell of a slab; those of its slices that are among the richest now, (Y, X) uint8, 255 the window's upper end.

        Args:
            start: its first slice.
            mask: (h, Y, X) of 0 and the classes' values.
            grey: (h, Y, X) in [0, 1].
            outside: bool, what lies outside the reconstruction and is shown black.
        """
        for z, plane in enumerate(mask, start):
            self.take(z, richness(plane, self._classes))
        found = {}
        for z in self.slices:
            if start <= z < start + len(mask):
                plane = grey[z - start] if outside is None else grey[z - start].masked_fill(outside[z - start], 0)
                found[z] = (plane * 255).round().to(torch.uint8).cpu().numpy()
        return found

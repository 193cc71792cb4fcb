"""The slices that the pictures of a segmentation show, taken while their slab is in memory: no file is read for them again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

PICTURES = 5  # the stack is cut into so many parts along z; of each the slice with most lithium is shown


def shown(lithium: Sequence[int]) -> list[int]:
    """The slice with most lithium of each of `PICTURES` equal parts of a stack, given its voxels slice by slice."""
    best = Richest(len(lithium))
    for z, count in enumerate(lithium):
        best.take(z, count)
    return best.slices


class Richest:
    """The slice with most lithium of each part of a stack, the first of those that are equal, of all that it was told.

    Args:
        depth: slices of the stack.
    """

    def __init__(self, depth: int) -> None:
        self._depth, self._parts = depth, min(PICTURES, depth)
        self._best: dict[int, tuple[int, int]] = {}

    @property
    def slices(self) -> list[int]:
        """In the order of the parts' first slices."""
        return [z for z, _ in self._best.values()]

    def take(self, z: int, lithium: int) -> bool:
        """Tell of a slice; whether it is the richest so far."""
        part = z * self._parts // self._depth
        richer = part not in self._best or lithium > self._best[part][1]
        if richer:
            self._best[part] = z, lithium
        return richer

    def of_slab(
        self, start: int, mask: np.ndarray, grey: torch.Tensor, outside: torch.Tensor | None
    ) -> dict[int, np.ndarray]:
        """Tell of a slab; those of its slices that are among the richest now, (Y, X) uint8, 255 the window's upper end.

        Args:
            start: its first slice.
            mask: (h, Y, X) of 0 and 1.
            grey: (h, Y, X) in [0, 1].
            outside: bool, what lies outside the reconstruction and is shown black.
        """
        for z, plane in enumerate(mask, start):
            self.take(z, int(np.count_nonzero(plane.view(bool))))
        found = {}
        for z in self.slices:
            if start <= z < start + len(mask):
                plane = grey[z - start] if outside is None else grey[z - start].masked_fill(outside[z - start], 0)
                found[z] = (plane * 255).round().to(torch.uint8).cpu().numpy()
        return found

"""Slabs of a cell from a mask, a probability and electrodes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from custom.base.classes import LITHIUM
from custom.base.errors import BadInput
from custom.electrodes.electrodes import Electrodes
from custom.measuring.cell_slab import TOUCHING, CellSlab, Lengths
from custom.pieces.directions import REACH
from custom.stack import Slab, Stack


@dataclass(frozen=True)
class Cell:
    """What is measured.

    Attributes:
        mask: 0, and the values of classes.
        lithium: those of its values that are lithium.
        probability: uint8 in 255 steps or float in [0, 1], of the mask's shape; None: there is none.
        electrodes: None: none were found.
        voxel_size: (z, y, x) in um, or three times 1 where it is unknown.
        grey: the stack that the mask was made of, of its shape; None: it is not known.
        classes: names of the mask's values 1, 2, ...
    """

    mask: Stack
    lithium: tuple[int, ...]
    probability: Stack | None
    electrodes: Electrodes | None
    voxel_size: Lengths
    grey: Stack | None = None
    classes: tuple[str, ...] = LITHIUM

    @property
    def touching(self) -> float | None:
        """Up to which distance a voxel's middle touches an electrode; None without electrodes."""
        return None if self.electrodes is None else TOUCHING * self.voxel_size[self.electrodes.axis]

    def check(self) -> None:
        """Raises: BadInput: mask and probability are of different shape."""
        if self.probability is not None and self.probability.shape != self.mask.shape:
            ours, theirs = (" x ".join(map(str, one.shape)) for one in (self.mask, self.probability))
            raise BadInput(
                f"{self.probability.path}: has {theirs} voxels (z, y, x) and the mask {self.mask.path.name} {ours}; give the "
                "probability that was written with this mask"
            )

    def slab(self, slab: Slab) -> CellSlab:
        """One of its slabs."""
        mask = self._around(self.mask, slab.start, slab.stop)
        levels = None if self.probability is None else _levels(self._around(self.probability, slab.start, slab.stop))
        lithium = mask == self.lithium[0] if len(self.lithium) == 1 else np.isin(mask, self.lithium)
        own = mask[REACH:-REACH, REACH:-REACH, REACH:-REACH].astype(np.uint8, copy=False)
        height = slab.stop - slab.start
        touching = self.touching or 0.0
        return CellSlab(
            slab.start, height, self.mask.shape, lithium, own, levels, self.electrodes, touching, self.voxel_size
        )

    def slabs(self, slabs: Sequence[Slab]) -> Iterator[CellSlab]:
        """All of them, one at a time."""
        return map(self.slab, slabs)

    def _around(self, stack: Stack, start: int, stop: int) -> np.ndarray:
        """The slices start, ..., stop - 1 with `REACH` more on all sides, as they end beyond the stack's."""
        low, high = max(start - REACH, 0), min(stop + REACH, stack.shape[0])
        missing = (low - start + REACH, stop + REACH - high)
        return np.pad(stack.read(low, high), [missing, (REACH, REACH), (REACH, REACH)], mode="edge")


def _levels(probability: np.ndarray) -> np.ndarray:
    if probability.dtype == np.uint8:
        return probability
    return np.asarray(np.clip(np.floor(probability * 255 + 0.5), 0, 255).astype(np.uint8))

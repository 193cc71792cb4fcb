"""Some slices of a mask between two electrodes, with what lies around them, as the quantities of a cell see it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from custom.electrodes.electrodes import Electrodes
from custom.pieces.directions import REACH

TOUCHING = 1.5  # voxels along the axis through the thickness; surfaces found in grey values are good to half a voxel
Lengths = tuple[float, float, float]


@dataclass(frozen=True)
class CellSlab:
    """A slab.

    Attributes:
        start: its first slice.
        height: how many slices are its own.
        shape: (Z, Y, X) of the stack.
        padded: bool (h + 2 `REACH`, Y + 2 `REACH`, X + 2 `REACH`), the lithium, with the slices before and behind; beyond the
            sides of the stack it goes on as it ends.
        mask: uint8 (h, Y, X), contiguous, the mask itself, 0 or a class's value.
        levels: uint8 of the shape of `padded`, the probability of lithium in 255 steps; None where there is none.
        electrodes: None where there are none.
        touching: up to which distance a voxel touches an electrode.
        voxel_size: (z, y, x) in um, or three times 1 where it is unknown.
        deviations: uint8 as `levels`, how far the members of an E-Net are from each other; None where that is not known.
    """

    start: int
    height: int
    shape: tuple[int, int, int]
    padded: np.ndarray
    mask: np.ndarray
    levels: np.ndarray | None
    electrodes: Electrodes | None
    touching: float
    voxel_size: Lengths
    deviations: np.ndarray | None = None

    @property
    def is_last(self) -> bool:
        """Whether nothing lies behind it."""
        return self.start + self.height == self.shape[0]

    @cached_property
    def distances(self) -> np.ndarray | None:
        """How far the middles of voxels lie from either electrode, in the voxel size's unit; None without electrodes.

        float32 (2, h + 1, Y, X), or h at the end of the stack; made when first asked for, since it is much larger than a mask.
        """
        if self.electrodes is None:
            return None
        stop = min(self.start + self.height + 1, self.shape[0])
        return self.electrodes.distances(self.start, stop, self.shape, self.voxel_size)

    def with_behind(self, padded: np.ndarray) -> np.ndarray:
        """Of something padded the slab's own slices, and the one behind them where there is one."""
        part = padded[REACH : REACH + self.height + (not self.is_last)]
        return part[:, REACH:-REACH, REACH:-REACH]

    def own(self, padded: np.ndarray) -> np.ndarray:
        """Of something padded the slab's own slices: (h, Y, X)."""
        return self.with_behind(padded)[: self.height]

    def lithium_at(self, threshold: float | None, deviations: int = 0) -> np.ndarray:
        """The lithium, padded: of the mask, or where the probability is at least a threshold.

        Args:
            deviations: of the members, that are added to the probability first: -1, 0 or 1.
        """
        if threshold is None or self.levels is None:
            return self.padded
        level = level_of(threshold)
        if not deviations or self.deviations is None:
            return np.asarray(self.levels >= level)
        if deviations > 0:
            return np.asarray(self.levels >= np.maximum(level, self.deviations) - self.deviations)
        return np.asarray((self.levels >= self.deviations) & (self.levels - self.deviations >= level))


def level_of(threshold: float) -> int:
    """The lowest of 255 levels that stands for a probability of at least `threshold`."""
    return max(1, int(np.ceil(threshold * 255 - 1e-9)))

"""A copy of the cell in larger voxels, small enough for what needs all of it at once: paths, thickness, pictures."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from custom.electrodes.electrodes import Electrodes
from custom.measuring.cell_slab import CellSlab, Lengths
from custom.quantities.quantity import Quantity, VoxelSize

MOST = 8_000_000  # voxels of the copy


@dataclass(frozen=True)
class CoarseCell:
    """The copy.

    Attributes:
        factor: how many voxels along each axis are one of it; those at the end may be of fewer.
        share: float32 (Z, Y, X), of lithium in each.
        levels: uint8, the largest probability of lithium in each in 255 steps, so that nothing thin is lost to the eye; None
            where there is none.
        voxel_size: (z, y, x) of one, in the voxel size's unit.
        electrodes: None: there are none.
        middles: where the middles of the copy's voxels lie along each axis of the stack, in its voxels.
    """

    factor: int
    share: np.ndarray
    levels: np.ndarray | None
    voxel_size: Lengths
    electrodes: Electrodes | None = None
    middles: Sequence[np.ndarray] = ()

    def distances(self) -> np.ndarray | None:
        """Of the voxels' middles from either electrode, float32 (2, Z, Y, X), as `Electrodes.distances`; None without any."""
        return None if self.electrodes is None else self._distances(self.electrodes, self.middles[0])

    def depths(self) -> np.ndarray | None:
        """Of the voxels' middles from the nearer electrode, float32 (Z, Y, X); None without any."""
        if self.electrodes is None:
            return None
        found = np.empty(self.share.shape, np.float32)
        for plane, middle in zip(found, self.middles[0], strict=True):  # both distances are twice as large as all else
            first, second = self._distances(self.electrodes, middle[None])[:, 0]
            np.minimum(first, second, out=plane)
        return found

    def _distances(self, electrodes: Electrodes, z: np.ndarray) -> np.ndarray:
        size = [along / self.factor for along in self.voxel_size]
        return electrodes.distances_at([z, *self.middles[1:]], (size[0], size[1], size[2]))

    @cached_property
    def level(self) -> float:
        """The share from which on a voxel counts as lithium: that which keeps the volume, half at most.

        Of what is thinner than a voxel no voxel is lithium by half.
        """
        count = round(float(self.share.sum(dtype=float)))
        if not 0 < count < self.share.size:
            return 0.5
        flat = self.share.reshape(-1)
        return float(np.clip(np.partition(flat, flat.size - count)[flat.size - count], 1e-3, 0.5))

    @cached_property
    def lithium(self) -> np.ndarray:
        """Where a voxel is lithium, by `level`."""
        return np.asarray(self.share >= self.level)


class Coarse(Quantity[CellSlab]):
    """Sums lithium over blocks of voxels.

    Args:
        shape: (Z, Y, X) of the stack.
        voxel_size: (z, y, x) in um, or three times 1.
        electrodes: None: there are none.
        has_probability: whether the slabs have levels.
        most: voxels that the copy may have.
    """

    name = "coarse"

    def __init__(
        self,
        shape: tuple[int, int, int],
        voxel_size: Lengths,
        electrodes: Electrodes | None,
        has_probability: bool,
        most: int = MOST,
    ) -> None:
        self.shape, self.voxel_size, self.electrodes = shape, voxel_size, electrodes
        self.factor = 1
        while math.prod(self.small) > most:
            self.factor += 1
        self._cell: CoarseCell | None = None
        self._sums = {"lithium": np.zeros(self.small, np.uint32)}
        if has_probability:
            self._sums["levels"] = np.zeros(self.small, np.uint8)

    @property
    def small(self) -> tuple[int, int, int]:
        """(Z, Y, X) of the copy."""
        z, y, x = (-(-length // self.factor) for length in self.shape)
        return z, y, x

    def of_slab(self, slab: CellSlab) -> dict[str, np.ndarray]:
        """``lithium`` uint32 and ``levels`` uint8 (rows, Y, X): sum and maximum over what the slab has of each block."""
        lithium = slab.own(slab.padded)
        along = [np.arange(0, length, self.factor) for length in lithium.shape]
        # blocks count from the first slice of the stack
        along[0] = np.unique(
            np.maximum((slab.start + np.arange(slab.height)) // self.factor * self.factor - slab.start, 0)
        )
        found = {"lithium": lithium.view(np.uint8)}
        for axis in (2, 1, 0):
            found["lithium"] = np.add.reduceat(
                found["lithium"], along[axis], axis, np.uint32 if axis == 0 else np.uint16
            )
        if slab.levels is not None:
            found["levels"] = slab.own(slab.levels)
            for axis in (2, 1, 0):
                found["levels"] = np.maximum.reduceat(found["levels"], along[axis], axis)
        return found

    def add(self, start: int, slab: Mapping[str, np.ndarray]) -> None:
        """Sums add up; of maxima the larger one counts."""
        first = start // self.factor
        for name, total in self._sums.items():
            part = total[first : first + len(slab[name])]
            (np.add if name == "lithium" else np.maximum)(part, slab[name], out=part)

    def result(self, voxel_size_um: VoxelSize) -> dict[str, Any]:
        """Nothing by itself."""
        return {}

    def cell(self) -> CoarseCell:
        """The copy, when all slabs were added; none can be added after it."""
        if self._cell is None:
            edges = [
                np.minimum(np.arange(n + 1) * self.factor, length)
                for n, length in zip(self.small, self.shape, strict=True)
            ]
            z, y, x = (np.diff(edge).astype(np.float32) for edge in edges)
            share = self._sums.pop("lithium").astype(np.float32)  # which are as large, and no longer needed
            share /= z[:, None, None] * y[:, None]
            share /= x
            middles = [(edge[:-1] + edge[1:] - 1) / 2 for edge in edges]
            voxel = tuple(self.factor * along for along in self.voxel_size)
            levels = self._sums.get("levels")
            self._cell = CoarseCell(self.factor, share, levels, voxel, self.electrodes, middles)  # type: ignore[arg-type]
        return self._cell

"""How much lithium there is, and what capacity that stands for."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from custom.measuring.cell_slab import CellSlab, Lengths
from custom.quantities.quantity import Quantity, VoxelSize

MAH_PER_CM3 = 3860 * 0.534  # of dense lithium: 3860 mAh/g, 0.534 g/cm3; 2061 mAh/cm3, so 4.85 um a mAh/cm2


BLOCKS = 8  # along z, for the sampling error


def sampling_error(counts: np.ndarray) -> float | None:
    """How far a mean over the slices is from settled with this field of view: its standard error by its own size.

    From blocks of neighbouring slices, each as if it were a scan of its own: their standard deviation over the root of their
    number. None where there are fewer than two slices a block, or nothing at all.

    Args:
        counts: of each slice.
    """
    if len(counts) < 2 * BLOCKS or not counts.any():
        return None
    means = np.array([block.mean() for block in np.array_split(counts.astype(float), BLOCKS)])
    return float(means.std(ddof=1) / math.sqrt(BLOCKS) / means.mean())


class Volume(Quantity[CellSlab]):
    """Volume and share of the lithium, its effective thickness and its equivalent areal capacity.

    Args:
        shape: (Z, Y, X) of the stack.
        voxel_size: (z, y, x) in um, or three times 1.
        area: of an electrode as far as it is seen, in squares of that unit; None without electrodes.
    """

    name = "volume"

    def __init__(self, shape: tuple[int, int, int], voxel_size: Lengths, area: float | None) -> None:
        self.shape, self.voxel_size, self.area = shape, voxel_size, area
        self._voxels: list[int] = []  # of each slice

    def of_slab(self, slab: CellSlab) -> dict[str, np.ndarray]:
        """``voxels`` int64 (h,), of lithium in each slice."""
        return {"voxels": np.array([np.count_nonzero(plane) for plane in slab.own(slab.padded)])}

    def add(self, start: int, slab: Mapping[str, np.ndarray]) -> None:
        """Slabs follow one another."""
        self._voxels += slab["voxels"].tolist()

    def result(self, voxel_size_um: VoxelSize) -> dict[str, Any]:
        """``lithium_voxels`` and what follows from it, and how far it is from settled: ``lithium_sampling_error_fraction``."""
        voxels = sum(self._voxels)
        told: dict[str, Any] = {"lithium_voxels": voxels, "volume_fraction": voxels / math.prod(self.shape)}
        told["lithium_sampling_error_fraction"] = sampling_error(np.array(self._voxels))
        volume = voxels * math.prod(self.voxel_size)
        if voxel_size_um is not None:
            told |= {"lithium_um3": volume, "lithium_capacity_mAh": volume * 1e-12 * MAH_PER_CM3}
        if self.area is not None:
            unit = "voxels" if voxel_size_um is None else "um"
            told[f"effective_thickness_{unit}"] = volume / self.area
            if voxel_size_um is not None:
                told["electrode_area_um2"] = self.area
                told["areal_capacity_mAh_cm2"] = volume / self.area * 1e-4 * MAH_PER_CM3
        return told

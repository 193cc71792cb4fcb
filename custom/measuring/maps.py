"""Lithium seen through the thickness of the cell: maps over the electrodes' plane."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from custom.measuring.cell_slab import CellSlab, Lengths
from custom.quantities.quantity import Quantity, VoxelSize

FILES = {"thickness": "map_thickness.tif", "depth": "map_depth.tif"}


class Maps(Quantity[CellSlab]):
    """How much lithium lies over each place of the electrodes, and how far it reaches from the nearer one.

    Args:
        shape: (Z, Y, X) of the stack.
        voxel_size: (z, y, x) in um, or three times 1.
        axis: through the thickness, 0 is z.
    """

    name = "maps"
    files = tuple(FILES.values())

    def __init__(self, shape: tuple[int, int, int], voxel_size: Lengths, axis: int) -> None:
        self.axis, self.along = axis, voxel_size[axis]
        plane = [length for number, length in enumerate(shape) if number != axis]
        kind: type[np.unsignedinteger[Any]] = np.uint16 if shape[axis] < 1 << 16 else np.uint32
        self._counts: np.ndarray = np.zeros(plane, kind)
        self._depths: np.ndarray = np.zeros(plane, np.float32)

    def of_slab(self, slab: CellSlab) -> dict[str, np.ndarray]:
        """``counts`` uint32 and ``depths`` float32 of the places that the slab has a part of: (h, X) or (h, Y), of z (Y, X)."""
        assert slab.distances is not None
        lithium = slab.own(slab.padded)
        near = np.minimum(*slab.distances[:, : slab.height])
        depths = np.where(lithium, near, np.float32(0)).max(axis=self.axis)
        return {"counts": lithium.sum(axis=self.axis, dtype=np.uint32), "depths": np.maximum(depths, 0)}

    def add(self, start: int, slab: Mapping[str, np.ndarray]) -> None:
        """Along z they follow one another, through z they add up."""
        rows = slice(None) if self.axis == 0 else slice(start, start + len(slab["counts"]))
        self._counts[rows] += slab["counts"].astype(self._counts.dtype)
        np.maximum(self._depths[rows], slab["depths"], out=self._depths[rows])

    def result(self, voxel_size_um: VoxelSize) -> dict[str, Any]:
        """``covered_fraction``: of the electrodes' plane, over which there is lithium."""
        return {"covered_fraction": float((self._counts > 0).mean())}

    def maps(self) -> Iterator[tuple[str, np.ndarray]]:
        """``thickness`` and ``depth``, and the map of each: float32, in the voxel size's unit.

        Once, since each is given up when it was told: long stacks' have 30 MB and more.
        """
        counts, self._counts = self._counts, np.zeros(0)
        yield "thickness", counts.astype(np.float32) * np.float32(self.along)
        depths, self._depths = self._depths, np.zeros(0)
        yield "depth", depths


def write_map(path: Path, values: np.ndarray, voxel_size: Lengths, axis: int, unit: str) -> None:
    """A map as a TIFF of 32-bit floats, with its pixels a centimetre where the unit is um."""
    rows, columns = (1e4 / along for number, along in enumerate(voxel_size) if number != axis)
    size = {"x_resolution": columns, "y_resolution": rows, "resolution_unit": "cm"} if unit == "um" else {}
    Image.fromarray(values).save(path, "TIFF", **size)

"""Agglomerates: the connected pieces of lithium, and what each is like."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from custom.measuring.agglomerate_rows import AgglomerateRows
from custom.measuring.cell_slab import CellSlab, Lengths
from custom.measuring.contact import dead_by_contact, without_contact
from custom.measuring.found import Found, Pieces
from custom.pieces.measured import Table
from custom.quantities.quantity import Quantity, Row, VoxelSize

FILE = "agglomerates.csv"


class Agglomerates(Quantity[CellSlab]):
    """Number, sizes, shapes and contact of the pieces of lithium: agglomerates.csv.

    Args:
        shape: (Z, Y, X) of the stack.
        voxel_size: (z, y, x) in um, or three times 1.
        touching: up to which distance a piece touches an electrode; None: there are no electrodes.
        classes: names of the mask's values 1, 2, ...
    """

    name = "agglomerates"
    files = (FILE,)

    def __init__(
        self, shape: tuple[int, int, int], voxel_size: Lengths, touching: float | None, classes: Sequence[str]
    ) -> None:
        self.shape, self.voxel_size, self.touching, self.classes = shape, voxel_size, touching, tuple(classes)
        self._found = Found(26, None, len(self.classes))
        self._pieces: Pieces | None = None

    def of_slab(self, slab: CellSlab) -> Table:
        """See `Found.of_slab`."""
        return self._found.of_slab(slab)

    def add(self, start: int, slab: Mapping[str, np.ndarray]) -> None:
        """See `Found.add`."""
        self._found.add(slab)

    def pieces(self) -> Pieces:
        """All of them, found once."""
        if self._pieces is None:
            self._pieces = self._found.pieces(-math.inf if self.touching is None else self.touching)
        return self._pieces

    def result(self, voxel_size_um: VoxelSize) -> dict[str, Any]:
        """How many, how large, and which part of the lithium is dead."""
        pieces = self.pieces()
        voxels = pieces.table["voxels"]
        told: dict[str, Any] = {"agglomerates": len(voxels), "largest_agglomerate_voxels": int(voxels.max(initial=0))}
        told["agglomerates_cut_by_the_border"] = int(pieces.cut(self.shape).sum())
        if voxel_size_um is not None:
            mm3 = math.prod(self.shape) * math.prod(self.voxel_size) * 1e-9
            told["agglomerates_per_mm3"] = len(voxels) / mm3
            told["surface_area_um2"] = float(pieces.table["area"].sum())
        if self.touching is not None:
            dead = without_contact(pieces.table, self.touching)
            told |= {"dead_agglomerates": dead.agglomerates, "dead_lithium_voxels": dead.voxels}
            if voxel_size_um is not None:
                told["dead_lithium_um3"] = dead.voxels * math.prod(self.voxel_size)
            told["dead_lithium_fraction"] = dead.fraction
            told["dead_lithium_by_contact"] = dead_by_contact(pieces.table, self.touching)
        return told

    @property
    def first_of_slab(self) -> Sequence[int]:
        """The number of each slab's first piece among all slabs'."""
        return self._found.first_of_slab

    def tables(self, voxel_size_um: VoxelSize) -> dict[str, Sequence[Row]]:
        """A row for each piece, the largest first."""
        return {FILE: AgglomerateRows(self.pieces(), self.shape, self.voxel_size, self.classes, voxel_size_um)}

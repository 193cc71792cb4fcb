"""How the figures move with the threshold of the probability."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from custom.measuring.agglomerates import Found
from custom.measuring.cell_slab import CellSlab, Lengths
from custom.quantities.quantity import Quantity, Row, VoxelSize

FILE = "by_threshold.csv"


class Sweep(Quantity[CellSlab]):
    """Lithium, its pieces, what of it is dead, how deep it reaches and whether it joins the electrodes, by threshold.

    Args:
        thresholds: of the probability, in (0, 1].
        voxel_size: (z, y, x) in um, or three times 1.
        touching: up to which distance a piece touches an electrode; None: there are no electrodes.
    """

    name = "by_threshold"
    files = (FILE,)

    def __init__(self, thresholds: Sequence[float], voxel_size: Lengths, touching: float | None) -> None:
        self.thresholds, self.voxel_size, self.touching = tuple(thresholds), voxel_size, touching
        self._found = {t: {connectivity: Found(connectivity, t) for connectivity in (6, 26)} for t in self.thresholds}

    def of_slab(self, slab: CellSlab) -> dict[str, np.ndarray]:
        """Pieces of both connectivities at each threshold."""
        return {
            f"{at}.{connectivity}.{key}": part
            for at, t in enumerate(self.thresholds)
            for connectivity, found in self._found[t].items()
            for key, part in found.of_slab(slab).items()
        }

    def add(self, start: int, slab: Mapping[str, np.ndarray]) -> None:
        """Slabs follow one another."""
        for at, t in enumerate(self.thresholds):
            for connectivity, found in self._found[t].items():
                head = f"{at}.{connectivity}."
                found.add({key.removeprefix(head): part for key, part in slab.items() if key.startswith(head)})

    def result(self, voxel_size_um: VoxelSize) -> dict[str, Any]:
        """``by_threshold``: the rows of the table; ``ranges``: the least and the most of each figure."""
        rows = [self._row(t, voxel_size_um) for t in self.thresholds]
        told: dict[str, Any] = {"by_threshold": rows}
        if rows:
            names = [name for name, value in rows[0].items() if name != "threshold" and not isinstance(value, bool)]
            told["ranges"] = {name: [f(row[name] for row in rows) for f in (min, max)] for name in names}
        return told

    def tables(self, voxel_size_um: VoxelSize) -> dict[str, list[Row]]:
        """A row for each threshold."""
        return {FILE: [self._row(t, voxel_size_um) for t in self.thresholds]}

    def _row(self, threshold: float, voxel_size_um: VoxelSize) -> dict[str, Any]:
        touching = -math.inf if self.touching is None else self.touching
        by_faces, pieces = (self._found[threshold][connectivity].pieces(touching) for connectivity in (6, 26))
        voxels = pieces.table["voxels"]
        row: dict[str, Any] = {"threshold": threshold, "lithium_voxels": int(voxels.sum())}
        if voxel_size_um is not None:
            row["lithium_um3"] = row["lithium_voxels"] * math.prod(self.voxel_size)
        row |= {"agglomerates": len(voxels), "largest_agglomerate_voxels": int(voxels.max(initial=0))}
        if self.touching is not None:
            row |= {"dead_agglomerates": int(pieces.dead.sum()), "dead_lithium_voxels": int(voxels[pieces.dead].sum())}
            row |= {"bridged_6": bool(by_faces.bridges.any()), "bridged_26": bool(pieces.bridges.any())}
        return row

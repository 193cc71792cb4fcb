"""Short circuits: whether lithium joins both electrodes, and from which probability on it would."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from custom.measuring.agglomerates import Agglomerates
from custom.measuring.cell_slab import CellSlab
from custom.measuring.found import Found
from custom.pieces.bridging import TOUCHES_FIRST, TOUCHES_SECOND, Bridging, forests_of_slab
from custom.pieces.directions import REACH
from custom.quantities.quantity import Quantity, VoxelSize

CONNECTIVITIES = (6, 26)


class Bridged(Quantity[CellSlab]):
    """Whether one piece of lithium joins both electrodes, by faces and also by edges and corners; the bridging threshold.

    That is the highest probability of lithium at which the voxels of that probability and above still join them, exact over
    the 255 levels of a kept probability.

    Args:
        plane: voxels of a slice.
        agglomerates: the pieces by all neighbours, which are added before.
        touching: up to which distance a voxel touches an electrode.
        has_probability: whether the slabs have levels.
    """

    name = "short_circuit"

    def __init__(self, plane: int, agglomerates: Agglomerates, touching: float, has_probability: bool) -> None:
        self.agglomerates, self.touching, self.has_probability = agglomerates, touching, has_probability
        self._by_faces = Found(6)
        self._bridging = {connectivity: Bridging(plane) for connectivity in CONNECTIVITIES}

    def of_slab(self, slab: CellSlab) -> dict[str, np.ndarray]:
        """Pieces by faces, and the forests by both neighbourhoods."""
        assert slab.distances is not None
        kept = {f"faces.{key}": part for key, part in self._by_faces.of_slab(slab).items()}
        if not self.has_probability:
            return kept
        assert slab.levels is not None
        near = slab.distances <= slab.touching
        touches = near[0].astype(np.uint8) * TOUCHES_FIRST + near[1].astype(np.uint8) * TOUCHES_SECOND
        forests = forests_of_slab(slab.levels, touches, slab.height, CONNECTIVITIES, REACH)
        for connectivity, (edges, at) in zip(CONNECTIVITIES, forests, strict=True):
            kept |= {f"edges_{connectivity}": edges, f"levels_{connectivity}": at}
        return kept

    def add(self, start: int, slab: Mapping[str, np.ndarray]) -> None:
        """Slabs follow one another."""
        self._by_faces.add({key.removeprefix("faces."): part for key, part in slab.items() if key.startswith("faces.")})
        for connectivity, bridging in self._bridging.items():
            if self.has_probability:
                bridging.add(slab[f"edges_{connectivity}"], slab[f"levels_{connectivity}"])

    def result(self, voxel_size_um: VoxelSize) -> dict[str, Any]:
        """``bridged_6``, ``bridged_26``, and where there is a probability ``bridging_threshold_6`` and ``_26``."""
        pieces = self._by_faces.pieces(self.touching), self.agglomerates.pieces()
        told: dict[str, Any] = {
            f"bridged_{connectivity}": bool(found.bridges.any())
            for connectivity, found in zip(CONNECTIVITIES, pieces, strict=True)
        }
        if self.has_probability:
            for connectivity in CONNECTIVITIES:
                level = self.level(connectivity)
                told[f"bridging_threshold_{connectivity}"] = level / 255 if level else None
        return told

    def level(self, connectivity: int) -> int:
        """The highest of 255 levels of a probability at which lithium joins both electrodes; 0: it does at none."""
        return self._bridging[connectivity].level()

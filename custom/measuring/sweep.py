"""How the figures move with the threshold of the probability."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from custom.measuring.bridging import Bridged
from custom.measuring.cell_slab import CellSlab, Lengths, level_of
from custom.measuring.contact import FURTHEST, without_contact
from custom.measuring.found import Found
from custom.quantities.quantity import Quantity, Row, VoxelSize

FILE = "by_threshold.csv"
_CASE = ("threshold", "members_deviation")  # columns that say what a row is of
_FURTHEST = f"dead_lithium_fraction_{FURTHEST:g}"


class Sweep(Quantity[CellSlab]):
    """Lithium, its pieces, what of it is dead, how deep it reaches and whether it joins the electrodes, by threshold.

    Where the members of an E-Net are known to differ, also at the middle threshold of the probability less their standard
    deviation, and of both together.

    Args:
        thresholds: of the probability, in (0, 1].
        voxel_size: (z, y, x) in um, or three times 1.
        touching: up to which distance a piece touches an electrode; None: there are no electrodes.
        bridged: knows whether lithium joins both electrodes at a threshold, and is added before; None as `touching`.
        members: whether the slabs have deviations.
    """

    name = "by_threshold"
    files = (FILE,)

    def __init__(
        self,
        thresholds: Sequence[float],
        voxel_size: Lengths,
        touching: float | None,
        bridged: Bridged | None,
        members: bool = False,
    ) -> None:
        self.voxel_size, self.touching, self.bridged = voxel_size, touching, bridged
        self.cases = [(t, 0) for t in thresholds]
        if members:
            middle = min(thresholds, key=lambda t: abs(t - 0.5))
            self.cases += [(middle, -1), (middle, 1)]
        self._found = {(at, 26): Found(26, t, deviations=far) for at, (t, far) in enumerate(self.cases)}
        # what the probability itself joins by faces is known from its levels
        self._found |= {(at, 6): Found(6, t, deviations=far) for at, (t, far) in enumerate(self.cases) if far}
        self._known: list[dict[str, Any]] = []

    def of_slab(self, slab: CellSlab) -> dict[str, np.ndarray]:
        """Pieces in each case."""
        return {
            f"{at}.{connectivity}.{key}": part
            for (at, connectivity), found in self._found.items()
            for key, part in found.of_slab(slab).items()
        }

    def add(self, start: int, slab: Mapping[str, np.ndarray]) -> None:
        """Slabs follow one another."""
        for (at, connectivity), found in self._found.items():
            head = f"{at}.{connectivity}."
            found.add({key.removeprefix(head): part for key, part in slab.items() if key.startswith(head)})

    def result(self, voxel_size_um: VoxelSize) -> dict[str, Any]:
        """``by_threshold`` and ``by_members``: the rows of the table; ``ranges``: the least and the most of each figure."""
        rows = self._rows(voxel_size_um)
        told: dict[str, Any] = {"by_threshold": [row for row in rows if not row["members_deviation"]]}
        if others := [row for row in rows if row["members_deviation"]]:
            told["by_members"] = others
        names = [name for name, value in rows[0].items() if name not in _CASE and not isinstance(value, bool)]
        told["ranges"] = {name: _ends(row[name] for row in rows) for name in names if name != _FURTHEST}
        if _FURTHEST in names:  # what counts as contact is as uncertain as what counts as lithium
            both = (row[name] for row in rows for name in ("dead_lithium_fraction", _FURTHEST))
            told["ranges"]["dead_lithium_fraction"] = _ends(both)
        return told

    def tables(self, voxel_size_um: VoxelSize) -> dict[str, Sequence[Row]]:
        """A row for each threshold, and two for the members."""
        return {FILE: list(self._rows(voxel_size_um))}

    def _rows(self, voxel_size_um: VoxelSize) -> list[dict[str, Any]]:
        self._known = self._known or [self._row(at, voxel_size_um) for at in range(len(self.cases))]
        return self._known

    def _row(self, at: int, voxel_size_um: VoxelSize) -> dict[str, Any]:
        touching = -math.inf if self.touching is None else self.touching
        pieces = self._found[at, 26].pieces(touching)
        voxels, case = pieces.table["voxels"], dict(zip(_CASE, self.cases[at], strict=True))
        row: dict[str, Any] = {**case, "lithium_voxels": int(voxels.sum())}
        if voxel_size_um is not None:
            row["lithium_um3"] = row["lithium_voxels"] * math.prod(self.voxel_size)
        row |= {"agglomerates": len(voxels), "largest_agglomerate_voxels": int(voxels.max(initial=0))}
        if self.touching is not None and self.bridged is not None:
            dead = without_contact(pieces.table, self.touching)
            row |= {"dead_agglomerates": dead.agglomerates, "dead_lithium_voxels": dead.voxels}
            row["dead_lithium_fraction"] = dead.fraction
            row[_FURTHEST] = without_contact(pieces.table, self.touching, FURTHEST).fraction
            threshold, deviations = self.cases[at]
            if deviations:
                by_faces = bool(self._found[at, 6].pieces(touching).bridges.any())
            else:
                by_faces = self.bridged.level(6) >= level_of(threshold)
            row |= {"bridged_6": by_faces, "bridged_26": bool(pieces.bridges.any())}
        return row


def _ends(values: Iterable[float | None]) -> list[float] | None:
    known = [value for value in values if value is not None]
    return [min(known), max(known)] if known else None

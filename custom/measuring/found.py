"""The connected pieces of lithium of a stack, from those of its slabs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from custom.measuring.cell_slab import CellSlab
from custom.pieces.labelled import Joining, label_slab
from custom.pieces.measured import Table, count_slab, measure_slab, merged

_FEW = 100_000  # rows that need not be joined yet: 13 MB with all columns


class Found:
    """The pieces of lithium of one threshold and connectivity, from those of slabs.

    Args:
        connectivity: 6 or 26.
        threshold: of the probability; None: the mask.
        classes: how many values the mask has; 0: of a piece its voxels and its distance from the electrodes are enough.
        deviations: of an E-Net's members, that are added to the probability.
    """

    def __init__(
        self, connectivity: int, threshold: float | None = None, classes: int = 0, deviations: int = 0
    ) -> None:
        self.connectivity, self.threshold, self.classes, self.deviations = connectivity, threshold, classes, deviations
        self._joining = Joining()
        self._tables: list[Table] = []
        self._rows = self._joined = 0  # of the tables; of them those that are of pieces of several slabs
        self._one_of = np.zeros(0, np.int64)  # of each joined row one slab's piece
        self.first_of_slab: list[int] = []

    def of_slab(self, slab: CellSlab) -> Table:
        """What is kept of a slab: columns of its pieces, and what joins them to the next."""
        padded = slab.lithium_at(self.threshold, self.deviations)
        found = label_slab(slab.with_behind(padded), slab.height, self.connectivity)
        joins = {"pieces": np.array(found.pieces), "first": found.first, "last": found.last}
        if not self.classes:
            return {**count_slab(found, slab.height, slab.distances), **joins}
        of_cell = (slab.start, slab.voxel_size, slab.distances, slab.mask, self.classes)
        return {**measure_slab(padded, found, *of_cell), **joins}

    def add(self, slab: Mapping[str, np.ndarray]) -> None:
        """Take up the next slab."""
        if self._rows > max(_FEW, 2 * self._joined):  # a piece has a row in each of its slabs, which are many
            self._join_rows()
        self.first_of_slab.append(self._joining.add(int(slab["pieces"]), slab["first"], slab["last"]))
        self._tables.append({name: slab[name] for name in slab.keys() - {"pieces", "first", "last"}})
        self._rows += int(slab["pieces"])

    def _join_rows(self) -> None:
        """Make one row of those of each piece, as far as the slabs so far join it."""
        count, numbers = self._joining.joined()
        self._tables = [self._merged(numbers, count)]
        self._one_of = np.unique(numbers, return_index=True)[1]
        self._rows = self._joined = count

    def _merged(self, numbers: np.ndarray, pieces: int) -> Table:
        """The rows of all tables in those of so many pieces; the tables are given up for them."""
        of_rows = np.concatenate([numbers[self._one_of], numbers[len(numbers) - (self._rows - self._joined) :]])
        tables, self._tables = self._tables, []
        columns = {}
        for name in sorted(tables[0]):  # one after the other: of a million pieces each has up to 48 MB
            columns[name] = merged(name, [table.pop(name) for table in tables], of_rows, pieces)
        return columns

    def pieces(self, touching: float) -> Pieces:
        """All pieces, the largest first; once, since the slabs' rows are given up for them."""
        count, numbers = self._joining.joined()
        self._joining = Joining()
        table = self._merged(numbers, count)
        order = np.argsort(-table["voxels"], kind="stable")
        place = np.empty(count, np.int32)
        place[order] = np.arange(count, dtype=np.int32)
        for name in table:
            table[name] = table[name][order]
        return Pieces(table, place[numbers], touching)


@dataclass(frozen=True)
class Pieces:
    """All pieces of a stack.

    Attributes:
        table: columns as `measure_slab` or `count_slab` has them.
        numbers: which piece each slab's is, one slab after the other.
        touching: up to which distance a piece touches an electrode.
    """

    table: Table
    numbers: np.ndarray
    touching: float

    @property
    def touches(self) -> np.ndarray:
        """Which electrodes each touches: bool (n, 2)."""
        return np.asarray(self.table["near"] <= self.touching)

    @property
    def bridges(self) -> np.ndarray:
        """Which join both electrodes: bool (n,)."""
        return np.asarray(self.touches.all(axis=1))

    def cut(self, shape: Sequence[int]) -> np.ndarray:
        """Which reach the side of the stack, so that a part of them may be out of view: bool (n,)."""
        return np.asarray(((self.table["low"] <= 0) | (self.table["high"] >= np.array(shape) - 1)).any(axis=1))

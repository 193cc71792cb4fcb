"""Agglomerates: the connected pieces of lithium, and what each is like."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from custom.measuring.cell_slab import CellSlab, Lengths
from custom.measuring.contact import dead_by_contact, without_contact
from custom.pieces.labelled import Joining, label_slab
from custom.pieces.measured import Table, measure_slab, merged, shapes
from custom.quantities.quantity import Quantity, Row, VoxelSize

FILE = "agglomerates.csv"
_FAR = np.float32(np.inf)


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
        self._tables: list[Mapping[str, np.ndarray]] = []
        self.first_of_slab: list[int] = []

    def of_slab(self, slab: CellSlab) -> Table:
        """What is kept of a slab: columns of its pieces, and what joins them to the next."""
        padded = slab.lithium_at(self.threshold, self.deviations)
        found = label_slab(slab.with_behind(padded), slab.height, self.connectivity)
        labels = found.labels[: slab.height]
        flat = np.flatnonzero(labels)
        of_piece = labels.reshape(-1)[flat] - 1
        near = np.full((found.pieces, 2), _FAR, np.float32)
        if slab.distances is not None:
            for side in range(2):
                np.minimum.at(near[:, side], of_piece, slab.distances[side, : slab.height].reshape(-1)[flat])
        joins = {"pieces": np.array(found.pieces), "first": found.first, "last": found.last}
        if not self.classes:
            return {"voxels": np.bincount(of_piece, minlength=found.pieces), "near": near, **joins}
        table = measure_slab(padded, labels, found.pieces, slab.start, slab.voxel_size)
        values = slab.mask.reshape(-1)[flat].astype(np.intp)
        by_class = np.bincount(of_piece * (self.classes + 1) + values, minlength=found.pieces * (self.classes + 1))
        by_class = by_class.reshape(found.pieces, self.classes + 1)[:, 1:]
        return {**table, "near": near, "classes": by_class.astype(np.int64), **joins}

    def add(self, slab: Mapping[str, np.ndarray]) -> None:
        """Take up the next slab."""
        self.first_of_slab.append(self._joining.add(int(slab["pieces"]), slab["first"], slab["last"]))
        self._tables.append({name: slab[name] for name in slab.keys() - {"pieces", "first", "last"}})

    def pieces(self, touching: float) -> Pieces:
        """All pieces, the largest first."""
        count, numbers = self._joining.joined()
        table = merged(self._tables, numbers, count)
        order = np.lexsort((np.arange(count), -table["voxels"]))
        place = np.empty(count, np.int32)
        place[order] = np.arange(count, dtype=np.int32)
        return Pieces({name: column[order] for name, column in table.items()}, place[numbers], touching)


@dataclass(frozen=True)
class Pieces:
    """All pieces of a stack.

    Attributes:
        table: columns as `measure_slab` has them, ``near`` float32 (n, 2), the least distance of a voxel's middle from either
            electrode, and ``classes`` int64 (n, classes), voxels of each class.
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

    def tables(self, voxel_size_um: VoxelSize) -> dict[str, list[Row]]:
        """A row for each piece, the largest first."""
        pieces = self.pieces()
        table, shape = pieces.table, shapes(pieces.table, self.voxel_size)
        cut, touches = pieces.cut(self.shape), pieces.touches
        unit = "voxels" if voxel_size_um is None else "um"
        rows: list[Row] = []
        for i, voxels in enumerate(table["voxels"].tolist()):
            row: dict[str, object] = {"agglomerate": i + 1, "voxels": voxels}
            if voxel_size_um is not None:
                row["volume_um3"] = float(shape.volume[i])
                row["surface_area_um2"] = float(table["area"][i])
            row[f"equivalent_diameter_{unit}"] = (6 * float(shape.volume[i]) / math.pi) ** (1 / 3)
            row |= {f"centre_{axis}_{unit}": float(at) for axis, at in zip("zyx", shape.centre[i], strict=True)}
            row |= {f"first_{axis}": int(at) for axis, at in zip("zyx", table["low"][i], strict=True)}
            row |= {f"last_{axis}": int(at) for axis, at in zip("zyx", table["high"][i], strict=True)}
            row |= {f"axis_{n}_{unit}": float(length) for n, length in enumerate(shape.axes[i], 1)}
            row |= {f"axis_1_{axis}": float(part) for axis, part in zip("zyx", shape.directions[i, 0], strict=True)}
            if self.touching is not None:
                row |= {
                    f"distance_{e}_{unit}": float(max(0.0, near))
                    for e, near in zip((1, 2), table["near"][i], strict=True)
                }
                row |= {f"touches_{e}": bool(touch) for e, touch in zip((1, 2), touches[i], strict=True)}
            row["cut_by_the_border"] = bool(cut[i])
            if len(self.classes) > 1:
                row["class"] = self.classes[int(table["classes"][i].argmax())]
            rows.append(row)
        return {FILE: rows}

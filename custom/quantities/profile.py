"""Each class along each of the three axes of a stack, as tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from custom.base.classes import LITHIUM
from custom.quantities.quantity import FoundSlab, Quantity, Row, VoxelSize

AXES = "zyx"


class Profile(Quantity[FoundSlab]):
    """Voxels, volume and share of each class in every plane across z, y and x: profile_z.csv, profile_y.csv, profile_x.csv.

    A file for each axis, since a spreadsheet draws a curve from whole columns.

    Args:
        classes: names of the mask's values 1, 2, ...; the columns of a single one are those of lithium.
    """

    name = "profile"
    files = tuple(f"profile_{axis}.csv" for axis in AXES)

    def __init__(self, classes: Sequence[str] = LITHIUM) -> None:
        self.classes = tuple(classes)
        self._slices: list[np.ndarray] = []  # (1 + classes, h) of each slab along z
        self._sums: dict[str, np.ndarray] = {}  # (1 + classes, Y) and (1 + classes, X)

    def of_slab(self, slab: FoundSlab) -> dict[str, np.ndarray]:
        """``z``, ``y`` and ``x``, (1 + classes, n) int64: voxels within the reconstruction, and each class's, by plane."""
        counted = [[np.full(n, slab.mask.size // n, np.int64) for n in slab.mask.shape]]
        if slab.outside is not None:
            counted = [[all_of - out for all_of, out in zip(counted[0], _by_axis(slab.outside), strict=True)]]
        if len(self.classes) == 1:
            counted.append(_by_axis(slab.mask.view(bool)))
        else:
            counted += [_by_axis(plane == value for plane in slab.mask) for value in range(1, 1 + len(self.classes))]
        return {axis: np.stack(rows) for axis, rows in zip(AXES, zip(*counted, strict=True), strict=True)}

    def add(self, start: int, slab: Mapping[str, np.ndarray]) -> None:
        """Slabs follow one another along z; along y and x they add up."""
        self._slices.append(slab["z"])
        for axis in "yx":
            self._sums[axis] = self._sums.get(axis, 0) + slab[axis]

    def result(self, voxel_size_um: VoxelSize) -> dict[str, dict[str, str]]:
        """``profiles``: the tables' names by axis."""
        return {"profiles": dict(zip(AXES, self.files, strict=True))}

    def tables(self, voxel_size_um: VoxelSize) -> dict[str, Sequence[Row]]:
        """A row for each plane: its number, where its middle lies, its voxels and those of each class."""
        counts = {"z": np.concatenate(self._slices, axis=1), **self._sums}
        return {
            file: [self._row(axis, at, found, voxel_size_um) for at, found in enumerate(counts[axis].T.tolist())]
            for axis, file in zip(AXES, self.files, strict=True)
        }

    def _row(self, axis: str, at: int, found: Sequence[int], size: VoxelSize) -> Row:
        voxels, *of_classes = found
        row: dict[str, object] = {axis: at}
        if size is not None:
            row["position_um"] = (at + 0.5) * float(size[AXES.index(axis)])
        row["voxels"] = voxels
        for name, of_class in zip(self.classes, of_classes, strict=True):
            several = len(self.classes) > 1
            stem, share = (name, f"{name}_volume_fraction") if several else ("lithium", "volume_fraction")
            row[f"{stem}_voxels"] = of_class
            if size is not None:
                row[f"{stem}_um3"] = of_class * (float(size[0]) * float(size[1]) * float(size[2]))
            row[share] = of_class / voxels if voxels else None
        return row


def _by_axis(planes: Iterable[np.ndarray]) -> list[np.ndarray]:
    """True voxels of slices (Y, X) in each plane across z, y and x, int64."""
    along_z: list[int] = []
    parts: list[np.ndarray] = []
    for number, plane in enumerate(planes):
        if number % 255 == 0:
            # summed along z first, in a type that the CPU adds many of at once; memory is a plane
            parts.append(np.zeros(plane.shape, np.uint8))
        parts[-1] += plane
        along_z.append(int(np.count_nonzero(plane)))
    rows, columns = (sum(part.sum(axis=axis, dtype=np.int64) for part in parts) for axis in (1, 0))
    return [np.array(along_z, np.int64), np.asarray(rows), np.asarray(columns)]

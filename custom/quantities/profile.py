"""Lithium along each of the three axes of a stack, as tables."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from custom.quantities.quantity import FoundSlab, Quantity, Row, VoxelSize

AXES = "zyx"


class Profile(Quantity):
    """Voxels, volume and share of lithium in every plane across z, y and x: profile_z.csv, profile_y.csv, profile_x.csv.

    A file for each axis, since a spreadsheet draws a curve from whole columns.
    """

    name = "profile"
    files = tuple(f"profile_{axis}.csv" for axis in AXES)

    def __init__(self) -> None:
        self._slices: list[np.ndarray] = []  # (2, h) of each slab along z
        self._sums: dict[str, np.ndarray] = {}  # (2, Y) and (2, X)

    def of_slab(self, slab: FoundSlab) -> dict[str, np.ndarray]:
        """``z``, ``y`` and ``x``, (2, n) int64: voxels within the reconstruction, and lithium among them, by plane."""
        lithium, sizes = _by_axis(slab.mask), slab.mask.shape
        within = [np.full(n, slab.mask.size // n, np.int64) for n in sizes]
        if slab.outside is not None:
            within = [all_of - out for all_of, out in zip(within, _by_axis(slab.outside), strict=True)]
        return {axis: np.stack(both) for axis, both in zip(AXES, zip(within, lithium, strict=True), strict=True)}

    def add(self, start: int, slab: Mapping[str, np.ndarray]) -> None:
        """Slabs follow one another along z; along y and x they add up."""
        self._slices.append(slab["z"])
        for axis in "yx":
            self._sums[axis] = self._sums.get(axis, 0) + slab[axis]

    def result(self, voxel_size_um: VoxelSize) -> dict[str, dict[str, str]]:
        """``profiles``: the tables' names by axis."""
        return {"profiles": dict(zip(AXES, self.files, strict=True))}

    def tables(self, voxel_size_um: VoxelSize) -> dict[str, list[Row]]:
        """A row for each plane: its number, where its middle lies, its voxels and its lithium."""
        counts = {"z": np.concatenate(self._slices, axis=1), **self._sums}
        return {
            file: [
                _row(axis, at, voxels, lithium, voxel_size_um)
                for at, (voxels, lithium) in enumerate(counts[axis].T.tolist())
            ]
            for axis, file in zip(AXES, self.files, strict=True)
        }


def _by_axis(voxels: np.ndarray) -> list[np.ndarray]:
    """Voxels other than 0 of (h, Y, X) in each plane across z, y and x, int64."""
    ones = voxels.view(bool)
    # summed along z first, in a type that the CPU adds many of at once: h is some slices, and memory a plane
    flat = np.zeros(voxels.shape[1:], np.uint8 if len(voxels) < 256 else np.uint32)
    for plane in ones:
        flat += plane
    along_z = np.array([np.count_nonzero(plane) for plane in ones], np.int64)
    return [along_z, flat.sum(axis=1, dtype=np.int64), flat.sum(axis=0, dtype=np.int64)]


def _row(axis: str, at: int, voxels: int, lithium: int, size: VoxelSize) -> Row:
    share = lithium / voxels if voxels else None
    counted = {"voxels": voxels, "lithium_voxels": lithium}
    if size is None:
        return {axis: at, **counted, "volume_fraction": share}
    of_voxel = float(size[0]) * float(size[1]) * float(size[2])
    position = (at + 0.5) * float(size[AXES.index(axis)])
    return {axis: at, "position_um": position, **counted, "lithium_um3": lithium * of_voxel, "volume_fraction": share}

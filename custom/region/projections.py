"""Maximum and mean of a volume along its three axes, gathered slab by slab."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from custom.region.fields import Field, joined_shape

Plane = NDArray[np.float32]

_ROWS = 700  # along z that are kept of a field at least; a screen shows hardly more, and memory stays that of as many
AXES = "zyx"  # along which; the picture's own axes are the other two, in their order


@dataclass(frozen=True)
class Projections:
    """What a volume (Z, Y, X) looks like from its three sides.

    Attributes:
        largest, mean: under "z" (Y, X), under "y" (Z, X), under "x" (Z, Y); NaN where no voxel was reconstructed.
        thick: how many slices a row along z stands for, the last one for fewer.
    """

    largest: dict[str, Plane]
    mean: dict[str, Plane]
    thick: int = 1


class ProjectionSums:
    """Gathers projections; what is not finite, or outside the reconstruction, does not count.

    Args:
        shape: (Z, Y, X) of the volume.
    """

    def __init__(self, shape: tuple[int, int, int]) -> None:
        self._thick = max(1, shape[0] // _ROWS)
        z, y, x = -(-shape[0] // self._thick), *shape[1:]
        sides = {"z": (y, x), "y": (z, x), "x": (z, y)}
        self._largest = {axis: np.full(side, -np.inf, np.float32) for axis, side in sides.items()}
        self._sum = {axis: np.zeros(side, np.float64 if axis == "z" else np.float32) for axis, side in sides.items()}
        self._count = {axis: np.zeros(side, np.int32) for axis, side in sides.items()}

    def add(self, start: int, slab: Plane) -> None:
        """Add the slices from `start` on, (h, Y, X), NaN where nothing was reconstructed."""
        for z, plane in enumerate(slab, start):
            known = np.isfinite(plane)
            low, zero = np.where(known, plane, -np.inf), np.where(known, plane, 0)
            np.maximum(self._largest["z"], low, out=self._largest["z"])
            self._sum["z"] += zero
            self._count["z"] += known
            row = z // self._thick
            for axis, along in (("y", 0), ("x", 1)):
                np.maximum(self._largest[axis][row], low.max(axis=along), out=self._largest[axis][row])
                self._sum[axis][row] += zero.sum(axis=along)
                self._count[axis][row] += known.sum(axis=along)

    def gathered(self) -> Projections:
        """The projections of all that was added."""
        largest = {axis: np.where(np.isfinite(plane), plane, np.nan) for axis, plane in self._largest.items()}
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = {axis: (self._sum[axis] / self._count[axis]).astype(np.float32) for axis in AXES}
        return Projections(largest, mean, self._thick)


def joined_projections(parts: Sequence[Projections], fields: Sequence[Field]) -> Projections:
    """Of the raw grid, from those of its fields, in the lowest field's grey scale; for the eye.

    Each field's pictures are shifted, and the one along z turned, to where the field lies; in the others its rotation, less
    than a voxel or two over a slice, is left out. In an overlap the upper field covers the lower one.
    """
    depth, rows, columns = joined_shape(fields)
    largest: dict[str, list[Plane]] = {axis: [] for axis in AXES}
    mean: dict[str, list[Plane]] = {axis: [] for axis in AXES}
    for part, field in zip(parts, fields, strict=True):
        for kind, planes in ((largest, part.largest), (mean, part.mean)):
            for axis in AXES:
                plane = planes[axis]
                if axis != "z":
                    plane = np.repeat(plane, part.thick, axis=0)[: field.shape[0]]
                kind[axis].append(_placed(plane, axis, field, (depth, rows, columns)))
    known = {axis: [np.isfinite(plane) for plane in planes] for axis, planes in largest.items()}
    with np.errstate(invalid="ignore"):
        slices = [field.shape[0] * one for field, one in zip(fields, known["z"], strict=True)]
        total = sum(
            np.where(one, plane, 0) * count for one, plane, count in zip(known["z"], mean["z"], slices, strict=True)
        )
        along_z = np.where(np.sum(slices, axis=0) > 0, total / np.maximum(np.sum(slices, axis=0), 1), np.nan)
    return Projections(
        {"z": _fmax(largest["z"]), "y": _covered(largest["y"]), "x": _covered(largest["x"])},
        {"z": along_z.astype(np.float32), "y": _covered(mean["y"]), "x": _covered(mean["x"])},
    )


def _placed(plane: Plane, axis: str, field: Field, shape: tuple[int, int, int]) -> Plane:
    """A projection of a field on the raw grid's, NaN where the field is not."""
    kept = {"z": [1, 2], "y": [0, 2], "x": [0, 1]}[axis]
    whole = field.matrix()
    matrix = whole[np.ix_(kept, kept)] if axis == "z" else np.eye(2)
    shift = whole[kept, 3] if axis == "z" else [-field.shift[number] for number in kept]
    side = tuple(shape[number] for number in kept)
    moved: Plane = ndimage.affine_transform(plane, matrix, shift, side, order=1, cval=np.nan)
    return field.scale * moved + field.offset


def _covered(planes: Sequence[Plane]) -> Plane:
    found = planes[0]
    for plane in planes[1:]:
        found = np.where(np.isfinite(plane), plane, found)
    return found


def _fmax(planes: Sequence[Plane]) -> Plane:
    found = planes[0]
    for plane in planes[1:]:
        found = np.fmax(found, plane)
    return found

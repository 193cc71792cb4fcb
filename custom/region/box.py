"""The rigid box around a cell whose faces are known as points, and how its two large faces are bent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from custom.region.bend import ORDER, Bend
from custom.region.surfaces import Surface, fitted

Floats = NDArray[np.float64]

LARGE = ("first", "last")
SMALL = {"low": 0, "high": 0, "left": 2, "right": 2}  # the axis that a face closes
_ROUNDS = 12
_STILL = 1e-6  # radians
_FLAT = 0.25  # voxels
# voxels by which the region's outermost slices along z lie within those of the cell: its ends are found to a tenth of one,
# and that much of the film, interpolated into a whole slice, is enough for a network to take electrodes for lithium
_WITHIN = 0.1


@dataclass(frozen=True)
class Box:
    """A cell's own axes (z, y, x) in the raw grid.

    Attributes:
        turn: (3, 3) rotation from the cell's axes to those of the raw grid.
        middle: of the box in the raw grid.
        sides: along z, y and x, in voxels.
        faces: first and last, as heights along y over (z, x), all from the middle.
        residual: robust standard deviation of the points from these, voxels.
    """

    turn: Floats
    middle: Floats
    sides: tuple[float, float, float]
    faces: tuple[Surface, Surface]
    residual: float

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of the region in voxels as large as the raw ones."""
        z, y, x = (max(round(side), 1) for side in self.sides)
        return z, y, x

    @property
    def half(self) -> Floats:
        """From the middle to the outermost voxel centres of the region, along z, y and x."""
        found: Floats = np.maximum((np.array(self.shape) - 1) / 2 - (_WITHIN, 0, 0), 0)
        return found

    def corners(self) -> Floats:
        """(2, 2, 2, 3): the outermost voxel centres of the region in the raw grid."""
        signs = np.stack(np.meshgrid([-1, 1], [-1, 1], [-1, 1], indexing="ij"), axis=-1)
        found: Floats = signs * self.half @ self.turn.T + self.middle
        return found


def box_of(points: Mapping[str, Floats], ends: Mapping[str, float], angle: float) -> Box:
    """Fit the box.

    The plane of a bent face is the one through its four corners. Each turn is told by two pairs of faces, of which the
    longer lever counts more.

    Args:
        points: (n, 3) in the raw grid, of "first" and "last", and of those of the small faces that were found.
        ends: for those that were not, their distance from the middle of the points of the large ones.
        angle: of the cell about z, radians, roughly.
    """
    cos, sin = np.cos(angle), np.sin(angle)
    turn = np.array([[1, 0, 0], [0, cos, sin], [0, -sin, cos]])
    middle = np.concatenate([points[name] for name in LARGE]).mean(axis=0)
    ends = dict(ends)
    for _ in range(_ROUNDS):
        own = {name: (some - middle) @ turn for name, some in points.items()}
        limits, faces = _fit(own, ends)
        step = limits.mean(axis=1)
        middle = middle + turn @ step
        ends = {name: end - step[SMALL[name]] for name, end in ends.items()}
        still = _turn(own, faces, limits)
        turn = turn @ linalg.expm(still)
        if max(np.abs(still).max(), np.abs(step).max() / 100) < _STILL:
            break
    limits, faces = _fit({name: (some - middle) @ turn for name, some in points.items()}, ends)
    z, y, x = limits[:, 1] - limits[:, 0]
    return Box(turn, middle, (z, y, x), faces, float(np.mean([face.spread for face in faces])))


def bend_of(box: Box) -> Bend | None:
    """How the faces deviate from the region's, or None where they are planes to `_FLAT` voxels."""
    shape = box.shape
    u, w = (axis.ravel() for axis in np.meshgrid(*[np.linspace(-1, 1, 2 * ORDER + 1)] * 2, indexing="ij"))
    z, x = u * box.half[0], w * box.half[2]
    heights = [face.at(z, x) - side * shape[1] / 2 for face, side in zip(box.faces, (-1, 1), strict=True)]
    if np.abs(heights).max() < _FLAT:
        return None
    powers = [(i, j) for i in range(ORDER + 1) for j in range(ORDER + 1 - i)]
    terms = np.stack([u**i * w**j for i, j in powers], axis=1)
    tables = []
    for height in heights:
        table = np.zeros((ORDER + 1, ORDER + 1))
        for power, value in zip(powers, np.linalg.lstsq(terms, height, rcond=None)[0], strict=True):
            table[power] = value
        tables.append(tuple(tuple(float(value) for value in row) for row in table))
    return Bend(tables[0], tables[1])


def _fit(own: Mapping[str, Floats], ends: Mapping[str, float]) -> tuple[Floats, tuple[Surface, Surface]]:
    """(3, 2) limits along the box's axes, and both large faces as heights over (z, x), from points along these axes."""
    limits = np.zeros((3, 2))
    for name, axis in SMALL.items():
        at = float(np.median(own[name][:, axis])) if name in own else ends[name]
        limits[axis, 0 if name in ("low", "left") else 1] = at
    found = []
    for side, name in enumerate(LARGE):
        z, y, x = own[name].T
        face = fitted(z, x, y, ORDER, limits[[0, 2]])
        limits[1, side] = float(_corner_heights(face, limits).mean())
        found.append(face)
    return limits, (found[0], found[1])


def _corner_heights(face: Surface, limits: Floats) -> Floats:
    """(2, 2): heights of a face at the corners, by first and last along z and x."""
    z, x = np.meshgrid(limits[0], limits[2], indexing="ij")
    return face.at(z, x)


def _turn(own: Mapping[str, Floats], faces: tuple[Surface, Surface], limits: Floats) -> Floats:
    """(3, 3), antisymmetric: by what the box is still to be turned, in its own axes."""
    rise, weight = np.zeros((3, 3)), np.zeros((3, 3))  # [a, b]: of the faces that close axis a, along axis b
    sides = np.maximum(limits[:, 1] - limits[:, 0], 1.0)
    corners = np.mean([_corner_heights(face, limits) for face in faces], axis=0)
    rise[1, 0], weight[1, 0] = (corners[1] - corners[0]).mean() / sides[0], sides[0] ** 2
    rise[1, 2], weight[1, 2] = (corners[:, 1] - corners[:, 0]).mean() / sides[2], sides[2] ** 2
    for axis in (0, 2):
        one, other = (number for number in range(3) if number != axis)
        planes = [
            fitted(own[name][:, one], own[name][:, other], own[name][:, axis], 1)
            for name, closed in SMALL.items()
            if closed == axis and name in own
        ]
        for plane in planes:
            rise[axis, one] += plane.table[1, 0] / plane.half[0] / len(planes)
            rise[axis, other] += plane.table[0, 1] / plane.half[1] / len(planes)
            weight[axis, one], weight[axis, other] = sides[one] ** 2, sides[other] ** 2
    total = np.maximum(weight + weight.T, 1e-9)
    return (weight * rise - (weight * rise).T) / total

"""Where the voxels of a raw scan lie in its cell: fields of view, tilt and bend, in closed form both ways."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.polynomial.polynomial import polyval2d
from numpy.typing import NDArray

Shape = tuple[int, int, int]
Points = NDArray[np.float64]  # (..., 3): z, y, x


@dataclass(frozen=True)
class CellPlace:
    """A cell in the raw grid, which is the grid of the first field of view.

    The cell's grid has its outermost voxel centres at 0 and n - 1 along each axis and fills the box from -0.5 to n - 0.5.
    It is bent along y, then turned and shifted as a whole.

    Attributes:
        shape: (nz, ny, nx) of the cell's grid.
        turn: (3, 3) rotation of (z, y, x), from the cell to the raw grid.
        centre: of the cell's box in the raw grid.
        bend: (2, 3, 3), c[i][j] of u^i w^j for the first and the last face along y, in voxels; both vanish in the four
            corners u, w = -1, 1, with u = 2 z / (nz - 1) - 1 and w = 2 x / (nx - 1) - 1.
    """

    shape: Shape
    turn: NDArray[np.float64]
    centre: NDArray[np.float64]
    bend: NDArray[np.float64]

    def to_raw(self, points: Points) -> Points:
        """Points of the cell in the raw grid."""
        z, y, x = np.moveaxis(np.asarray(points, float), -1, 0)
        first, last = self.faces(z, x)
        y = y + first + y / (self.shape[1] - 1) * (last - first)
        moved: Points = (np.stack([z, y, x], axis=-1) - self._middle) @ self.turn.T + self.centre
        return moved

    def to_cell(self, points: Points) -> Points:
        """The inverse of `to_raw`."""
        z, y, x = np.moveaxis((np.asarray(points, float) - self.centre) @ self.turn + self._middle, -1, 0)
        first, last = self.faces(z, x)
        y = (y - first) / (1 + (last - first) / (self.shape[1] - 1))
        return np.stack([z, y, x], axis=-1)

    def faces(self, z: Points, x: Points) -> tuple[Points, Points]:
        """How far the first and the last face are bent at points (z, x) of the cell."""
        u, w = 2 * z / (self.shape[0] - 1) - 1, 2 * x / (self.shape[2] - 1) - 1
        return polyval2d(u, w, self.bend[0]), polyval2d(u, w, self.bend[1])

    def corners(self) -> Points:
        """(2, 2, 2, 3): the outermost voxel centres in the raw grid, by first and last along z, y and x."""
        ends = np.meshgrid(*((0.0, n - 1.0) for n in self.shape), indexing="ij")
        return self.to_raw(np.stack(ends, axis=-1))

    @property
    def _middle(self) -> NDArray[np.float64]:
        return (np.array(self.shape) - 1) / 2


@dataclass(frozen=True)
class FieldPlace:
    """A field of view in the raw grid: turned about z around the middle of the slices, then shifted.

    Attributes:
        shape: (Z, Y, X).
        shift: (z, y, x) in voxels.
        rotation_deg: positive from y to x.
    """

    shape: Shape
    shift: tuple[float, float, float] = (0.0, 0.0, 0.0)
    rotation_deg: float = 0.0

    def to_field(self, points: Points) -> Points:
        """Points of the raw grid in this field."""
        z, y, x = np.moveaxis(np.asarray(points, float), -1, 0)
        (cos, sin), (cy, cx) = self._turn, self._middle
        y, x = y - self.shift[1] - cy, x - self.shift[2] - cx
        return np.stack([z - self.shift[0], cy + cos * y + sin * x, cx - sin * y + cos * x], axis=-1)

    def to_raw(self, points: Points) -> Points:
        """The inverse of `to_field`."""
        z, y, x = np.moveaxis(np.asarray(points, float), -1, 0)
        (cos, sin), (cy, cx) = self._turn, self._middle
        y, x = y - cy, x - cx
        return np.stack(
            [z + self.shift[0], cy + self.shift[1] + cos * y - sin * x, cx + self.shift[2] + sin * y + cos * x], axis=-1
        )

    @property
    def _turn(self) -> tuple[float, float]:
        return math.cos(math.radians(self.rotation_deg)), math.sin(math.radians(self.rotation_deg))

    @property
    def _middle(self) -> tuple[float, float]:
        return (self.shape[1] - 1) / 2, (self.shape[2] - 1) / 2


def turned(about_x_deg: float, about_y_deg: float, about_z_deg: float) -> NDArray[np.float64]:
    """(3, 3): a rotation of (z, y, x) about x, then about y, then about z; each turns the earlier axis to the later one."""
    found = np.eye(3)
    for (first, second), angle in (((0, 1), about_x_deg), ((0, 2), about_y_deg), ((1, 2), about_z_deg)):
        cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
        step = np.eye(3)
        step[first, first], step[first, second], step[second, first], step[second, second] = cos, -sin, sin, cos
        found = step @ found
    return found

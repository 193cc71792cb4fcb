"""How a scan lies against the first one: three rotations and three shifts."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.spatial.transform import Rotation

Shape = tuple[int, int, int]


@dataclass(frozen=True)
class Move:
    """A rigid move: where a place of the first scan lies in another one.

    Places are (z, y, x) in the voxel size's unit, 0 in the middle of the first voxel.

    Attributes:
        turn: (3, 3), a rotation matrix about `centre`.
        shift: (3,), of `centre`.
        centre: (3,), the middle of the first scan.
    """

    turn: np.ndarray
    shift: np.ndarray
    centre: np.ndarray

    @staticmethod
    def none(centre: np.ndarray) -> Move:
        """The scan lies as the first one does."""
        return Move(np.eye(3), np.zeros(3), centre)

    @staticmethod
    def of(numbers: np.ndarray, centre: np.ndarray) -> Move:
        """From three rotations about z, y and x (a rotation vector, in radians) and three shifts: (6,)."""
        return Move(Rotation.from_rotvec(numbers[:3]).as_matrix(), np.asarray(numbers[3:], float), centre)

    @property
    def numbers(self) -> np.ndarray:
        """As `of` takes them, (6,)."""
        return np.concatenate([Rotation.from_matrix(self.turn).as_rotvec(), self.shift])

    @property
    def degrees(self) -> np.ndarray:
        """Rotations about z, y and x, (3,)."""
        return np.rad2deg(self.numbers[:3])

    def __call__(self, places: np.ndarray) -> np.ndarray:
        """Where places of the first scan (..., 3) lie in this one."""
        return np.asarray((places - self.centre) @ self.turn.T + (self.centre + self.shift))

    def after(self, first: Move) -> Move:
        """This move of what `first` has moved."""
        return Move(self.turn @ first.turn, self(first(self.centre)) - self.centre, self.centre)

    def voxels(self, size: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Matrix and offset that lead from voxels of the first scan to voxels of this one."""
        matrix = self.turn * size / size[:, None]
        return matrix, (self.centre + self.shift - self.turn @ self.centre) / size


def corners(shape: Shape) -> np.ndarray:
    """The outermost voxels of a stack, (8, 3)."""
    return np.array(list(product(*((0.0, length - 1.0) for length in shape))))


def apart(one: Move, other: Move, shape: Shape, size: np.ndarray) -> float:
    """The largest distance between what both make of a place of the first scan, in voxels: it lies at a corner."""
    places = corners(shape) * size
    return float(np.linalg.norm((one(places) - other(places)) / size, axis=1).max())

"""Fields of view of one scan: where each lies in the grid of the first one, and its grey scale in that one's."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Field:
    """One stack of a scan.

    Attributes:
        stack: name of its file.
        shape: (Z, Y, X).
        identity: of its voxels, see `identity_of`; None: not checked.
        shift: (z, y, x) of its grid in the first field's, in voxels.
        rotation_deg: about z, around the middle of the slices, after which it is shifted; positive from y to x.
        scale, offset: a grey value becomes scale * value + offset in the first field's scale.
        correlation: with its neighbour below, where that was found.
    """

    stack: str
    shape: tuple[int, int, int]
    identity: str | None = None
    shift: tuple[float, float, float] = (0.0, 0.0, 0.0)
    rotation_deg: float = 0.0
    scale: float = 1.0
    offset: float = 0.0
    correlation: float | None = None

    @property
    def first(self) -> float:
        """z of its first slice, in the first field's grid."""
        return self.shift[0]

    @property
    def last(self) -> float:
        """z of its last slice."""
        return self.shift[0] + self.shape[0] - 1

    def matrix(self) -> np.ndarray:
        """4 x 4, from homogeneous (z, y, x) of the first field's grid to this one's."""
        t = math.radians(self.rotation_deg)
        turn = np.array([[math.cos(t), math.sin(t)], [-math.sin(t), math.cos(t)]])
        centre = (np.array(self.shape[1:]) - 1) / 2
        found = np.eye(4)
        found[0, 3] = -self.shift[0]
        found[1:3, 1:3] = turn
        found[1:3, 3] = centre - turn @ (centre + self.shift[1:])
        return found


def joined_shape(fields: Sequence[Field]) -> tuple[int, int, int]:
    """(Z, Y, X) of the raw grid: the first field's, with the slices of all."""
    return math.floor(max(field.last for field in fields) + 1e-6) + 1, *fields[0].shape[1:]


def ramps(fields: Sequence[Field]) -> list[tuple[float, float, float, float]]:
    """For each field, in order of z, where along z it counts: 0 up to the first number, 1 between the two in the middle.

    In an overlap one field fades in as the other one fades out, linearly.
    """
    found = []
    for number, field in enumerate(fields):
        rise = (-math.inf, -math.inf) if number == 0 else (field.first, fields[number - 1].last)
        fall = (math.inf, math.inf) if number == len(fields) - 1 else (fields[number + 1].first, field.last)
        found.append((*rise, *fall))
    return found


def weights(z: np.ndarray, fields: Sequence[Field]) -> np.ndarray:
    """(fields, ...): how much each field counts at these z; they sum up to 1."""
    z = np.asarray(z, float)
    found = []
    for zero, one, until, end in ramps(fields):
        rising = np.ones_like(z) if math.isinf(zero) else np.clip((z - zero) / max(one - zero, 1e-9), 0, 1)
        falling = np.ones_like(z) if math.isinf(end) else np.clip((end - z) / max(end - until, 1e-9), 0, 1)
        found.append(rising * falling)
    return np.stack(found)

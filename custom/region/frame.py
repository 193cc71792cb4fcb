"""The raw grid turned about z, so that the cell's thickness runs along one axis and its width along another."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Frame:
    """Axes n (through the thickness) and w (along the width) within a slice, in voxels from its centre.

    Attributes:
        angle: from y to n, and from x to w, in radians: n = cos(angle) y - sin(angle) x, w = sin(angle) y + cos(angle) x.
        y, x: the centre of the slice.
    """

    angle: float
    y: float
    x: float

    def raw(self, n: Floats, w: Floats) -> tuple[Floats, Floats]:
        """(y, x) of places in the frame."""
        cos, sin = math.cos(self.angle), math.sin(self.angle)
        return cos * n + sin * w + self.y, cos * w - sin * n + self.x

    def framed(self, y: Floats, x: Floats) -> tuple[Floats, Floats]:
        """(n, w) of places in the slice."""
        cos, sin = math.cos(self.angle), math.sin(self.angle)
        return cos * (y - self.y) - sin * (x - self.x), sin * (y - self.y) + cos * (x - self.x)

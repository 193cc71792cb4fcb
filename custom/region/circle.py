"""The reconstruction circle of a raw volume: which voxels of a slice were reconstructed, and the circle around them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from custom.stack import outside
from custom.stack.few_values import ALIKE
from custom.stack.surround import SurroundSearch

_LEAST = 0.05  # share of a slice that a circle leaves free; one that touches all sides leaves 1 - pi / 4 = 0.21


@dataclass(frozen=True)
class Circle:
    """Within what a slice was reconstructed, in voxels of the slice: centres, counted from 0."""

    y: float
    x: float
    radius: float


class InsideSearch:
    """Finds the voxels of a field's slices that were reconstructed, slice by slice, as they are read for something else.

    Args:
        shape: (Y, X) of a slice.
    """

    def __init__(self, shape: tuple[int, int]) -> None:
        self._search = SurroundSearch()
        self._outside = np.zeros(shape, bool)
        self._seen = False

    def look(self, plane: np.ndarray) -> None:
        """Look at a slice (Y, X); one without anything in it tells nothing."""
        self._search.look(plane)
        region = outside(plane, self._search.found())
        if region is None or region.all():
            return
        self._outside = self._outside & region if self._seen else region
        self._seen = True

    @property
    def inside(self) -> NDArray[np.bool_]:
        """(Y, X): all but what lay outside in every slice where something did."""
        return ~self._outside

    def circle(self) -> Circle | None:
        """The circle of the same area and centre as what lies inside; None where that is hardly less than all, or not round."""
        inside = self.inside
        if inside.mean() > 1 - _LEAST or not inside.any():
            return None
        y, x = (np.flatnonzero(inside.any(axis=axis)) for axis in (1, 0))
        found = Circle(float(y[0] + y[-1]) / 2, float(x[0] + x[-1]) / 2, float(np.sqrt(inside.sum() / np.pi)))
        rows, columns = np.ogrid[: inside.shape[0], : inside.shape[1]]
        disc = (rows - found.y) ** 2 + (columns - found.x) ** 2 <= found.radius**2
        return found if (disc == inside).mean() >= ALIKE else None

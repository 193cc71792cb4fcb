"""Mean and standard deviation of the grey values of each class."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from custom.base.classes import LITHIUM
from custom.quantities.quantity import FoundSlab, Quantity, VoxelSize


class GreyValues(Quantity[FoundSlab]):
    """The grey values of background and of each class, in the stack's own units.

    What lies outside the reconstruction, and NaN and infinite values, are left out. Each slice gives the number of voxels,
    their mean and the sum of the squares of their distances from it, in float64; slices are merged in their order by the
    formula of Chan, Golub and LeVeque (1979). So the numbers do not depend on the height of the slabs, and lose nothing
    where the values are large and close together, which sums of squares would.

    Args:
        classes: names of the mask's values 1, 2, ...; 0 is ``background``.
    """

    name = "grey_values"

    def __init__(self, classes: Sequence[str] = LITHIUM) -> None:
        self.classes = ("background", *classes)
        self._moments = np.zeros((len(self.classes), 3))

    def of_slab(self, slab: FoundSlab) -> dict[str, np.ndarray]:
        """``moments``, (h, classes, 3) float64: number, mean, sum of squared distances from it."""
        outside = [None] * len(slab.mask) if slab.outside is None else slab.outside
        planes = zip(slab.mask, slab.grey, outside, strict=True)
        moments = [
            [_moments(grey[_inside(mask == value, grey, out)]) for value in range(len(self.classes))]
            for mask, grey, out in planes
        ]
        return {"moments": np.array(moments)}

    def add(self, start: int, slab: Mapping[str, np.ndarray]) -> None:
        """Merge the moments, slice by slice."""
        for plane in slab["moments"]:
            self._moments = np.array([_merged(*both) for both in zip(self._moments, plane, strict=True)])

    def result(self, voxel_size_um: VoxelSize) -> dict[str, Any]:
        """``grey_values``: ``voxels``, ``mean`` and ``standard_deviation`` by class; the latter None without a voxel."""
        return {"grey_values": {name: _told(*row) for name, row in zip(self.classes, self._moments, strict=True)}}


def _inside(found: np.ndarray, grey: np.ndarray, outside: np.ndarray | None) -> np.ndarray:
    if outside is not None:
        found &= ~outside
    if grey.dtype.kind == "f":
        found &= np.isfinite(grey)
    return found


def _moments(grey: np.ndarray) -> tuple[float, float, float]:
    if grey.size == 0:
        return 0.0, 0.0, 0.0
    values = grey.astype(np.float64)
    mean = values.mean()
    values -= mean
    return float(grey.size), float(mean), float(np.square(values, out=values).sum())


def _merged(one: np.ndarray, other: np.ndarray) -> tuple[float, float, float]:
    (n, mean, squares), (more, its_mean, its_squares) = one.tolist(), other.tolist()
    if more == 0 or n == 0:
        return (n, mean, squares) if more == 0 else (more, its_mean, its_squares)
    apart, both = its_mean - mean, n + more
    return both, mean + apart * more / both, squares + its_squares + apart * apart * n * more / both


def _told(number: float, mean: float, squares: float) -> dict[str, float | int | None]:
    known = number > 0
    spread = math.sqrt(squares / number) if known else None
    return {"voxels": int(number), "mean": mean if known else None, "standard_deviation": spread}

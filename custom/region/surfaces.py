"""Smooth surfaces through points of which some are wrong: polynomials of two variables, fitted robustly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_ROUNDS = 30
_BISQUARE = 4.685  # Tukey's constant: 95 % of the efficiency of least squares where the errors are normal
_LEAST_SPREAD = 0.02  # voxels: points are never closer to a surface than that


@dataclass(frozen=True)
class Surface:
    """A height over two coordinates: sum c[i][j] u^i w^j, u and w from -1 to 1 over the range of the fit.

    Attributes:
        table: (order + 1, order + 1); zero where i + j > order.
        middle, half: of both coordinates' ranges.
        spread: robust standard deviation of the points from it.
        share: of the points that it goes by.
    """

    table: Floats
    middle: tuple[float, float]
    half: tuple[float, float]
    spread: float
    share: float

    def at(self, first: Floats, second: Floats) -> Floats:
        """Heights at places."""
        u, w = _unit(first, second, self.middle, self.half)
        return np.asarray(np.polynomial.polynomial.polyval2d(u, w, self.table), np.float64)


def fitted(first: Floats, second: Floats, heights: Floats, order: int, ranges: Floats | None = None) -> Surface:
    """The surface of an order through points, by reweighted least squares that begin at the median.

    Args:
        first, second, heights: (n,) finite.
        order: of both variables together, 0 to 4.
        ranges: ((least, most), (least, most)) of the coordinates; None: the points' own.
    """
    if ranges is None:
        ranges = np.array([[axis.min(), axis.max()] for axis in (first, second)])
    middle = float(ranges[0].mean()), float(ranges[1].mean())
    half = max(float(np.ptp(ranges[0])) / 2, 1e-9), max(float(np.ptp(ranges[1])) / 2, 1e-9)
    u, w = _unit(first, second, middle, half)
    powers = [(i, j) for i in range(order + 1) for j in range(order + 1 - i)]
    terms = np.stack([u**i * w**j for i, j in powers], axis=1)
    found, spread, weight = _robust(terms, heights, [sum(power) <= 1 for power in powers])
    table = np.zeros((order + 1, order + 1))
    for (i, j), value in zip(powers, found, strict=True):
        table[i, j] = value
    return Surface(table, middle, half, spread, float((weight > 0.1).mean()))


def _robust(terms: Floats, heights: Floats, plane: list[bool]) -> tuple[Floats, float, Floats]:
    """Coefficients, spread and weights; a plane comes first, so that a tab does not bend what is to leave it out."""
    weight = np.ones(len(heights))
    found = np.zeros(terms.shape[1])
    flat = np.array(plane)
    for turn in range(_ROUNDS):
        used = flat if turn < _ROUNDS // 3 else np.ones_like(flat)
        root = np.sqrt(weight)[:, None]
        found = np.zeros(terms.shape[1])
        found[used] = np.linalg.lstsq(terms[:, used] * root, heights * root[:, 0], rcond=None)[0]
        rest = heights - terms @ found
        middle = np.median(rest) if turn == 0 else 0.0
        spread = max(1.4826 * float(np.median(np.abs(rest - middle))), _LEAST_SPREAD)
        # the plane's rest holds the bend too: nothing of it is left out
        wide = _BISQUARE * spread * (2 if turn < _ROUNDS // 3 else 1)
        weight = np.clip(1 - (rest / wide) ** 2, 0, None) ** 2
    return found, spread, weight


def _unit(first: Floats, second: Floats, middle: tuple[float, float], half: tuple[float, float]) -> list[Floats]:
    return [(axis - centre) / side for axis, centre, side in zip((first, second), middle, half, strict=True)]

"""How the electrodes' outer faces deviate from planes: two polynomials, between which the region is straightened."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

ORDER = 4  # of the polynomials, both variables together

Coefficients = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Bend:
    """The first and the last face along y, each sum c[i][j] u^i w^j in voxels of the region.

    u and w run from -1 to 1 along z and x: u = 2 z / (nz - 1) - 1.

    Attributes:
        first, last: c[i][j] with i + j <= 4; missing ones are 0.
    """

    first: Coefficients
    last: Coefficients

    def tables(self) -> np.ndarray:
        """(2, 5, 5): the coefficients of both faces, with zeros where there are none."""
        found = np.zeros((2, ORDER + 1, ORDER + 1))
        for face, rows in enumerate((self.first, self.last)):
            for i, row in enumerate(rows):
                found[face, i, : len(row)] = row
        return found


def bent(points: np.ndarray, bend: Bend | None, shape: tuple[int, int, int]) -> np.ndarray:
    """Where straightened points lie in the bent cell.

    y' = y + (1 - v) first(u, w) + v last(u, w), with v = y / (ny - 1).

    Args:
        points: (..., 3), (z, y, x) of the region.
        bend: None: nothing is bent.
        shape: (nz, ny, nx) of the region.
    """
    if bend is None:
        return points
    first, last = _faces(points, bend, shape)
    share = points[..., 1] / max(shape[1] - 1, 1)
    return _with_y(points, points[..., 1] + (1 - share) * first + share * last)


def straightened(points: np.ndarray, bend: Bend | None, shape: tuple[int, int, int]) -> np.ndarray:
    """The inverse of `bent`, exact since a face depends on z and x alone."""
    if bend is None:
        return points
    first, last = _faces(points, bend, shape)
    return _with_y(points, (points[..., 1] - first) / (1 + (last - first) / max(shape[1] - 1, 1)))


def faces(bend: Bend | None, shape: tuple[int, int, int], start: int, stop: int) -> np.ndarray:
    """What both faces deviate by in the region's slices start, ..., stop - 1: (2, h, nx), (2, 0, 0) where nothing is bent."""
    if bend is None:
        return np.zeros((2, 0, 0))
    z, x = np.arange(start, stop, dtype=float), np.arange(shape[2], dtype=float)
    points = np.stack(np.meshgrid(z, [0.0], x, indexing="ij"), axis=-1)[:, 0]
    return _faces(points, bend, shape)


def _faces(points: np.ndarray, bend: Bend, shape: tuple[int, int, int]) -> np.ndarray:
    """(2, ...): what both faces deviate by."""
    u, w = (2 * points[..., axis] / max(shape[axis] - 1, 1) - 1 for axis in (0, 2))
    return np.stack([np.polynomial.polynomial.polyval2d(u, w, table) for table in bend.tables()])


def _with_y(points: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.stack([points[..., 0], y, points[..., 2]], axis=-1)

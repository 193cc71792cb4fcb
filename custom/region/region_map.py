"""From the voxels of a region to the raw grid, and back: the bend, then a perspective within slices."""

from __future__ import annotations

from itertools import product

import numpy as np

from custom.region.bend import Bend, bent, straightened

Shape = tuple[int, int, int]


class RegionMap:
    """The map of a region.

    A point p = (z, y, x) of the region is bent (`bent`), and goes to the raw grid as z = P[0] p, y = P[1] p / P[3] p and
    x = P[2] p / P[3] p, of homogeneous p. z has no denominator: a full perspective in space cannot leave slices where they
    are while it tapers them, and no other kind occurs between a tomogram's slices.

    Args:
        shape: (nz, ny, nx) of the region.
        corners_3d: (2, 2, 2, 3), where the region's outermost voxel centres lie in the raw grid (`corners_of`).
        bend: of the faces.

    Attributes:
        matrix: P, 4 x 4; its last row is (0, 0, 0, 1) where nothing tapers.
    """

    def __init__(self, shape: Shape, corners_3d: np.ndarray, bend: Bend | None = None) -> None:
        self.shape, self.bend = shape, bend
        self.corners_3d = np.asarray(corners_3d, float)
        self.matrix = perspective(shape, self.corners_3d)

    def forward(self, points: np.ndarray) -> np.ndarray:
        """Points (..., 3) of the region in the raw grid, float64 (z, y, x)."""
        raw = bent(np.asarray(points, float), self.bend, self.shape) @ self.matrix[:, :3].T + self.matrix[:, 3]
        return np.concatenate([raw[..., :1], raw[..., 1:3] / raw[..., 3:]], axis=-1)

    def inverse(self, points: np.ndarray) -> np.ndarray:
        """Points (..., 3) of the raw grid in the region, also those outside it."""
        points = np.asarray(points, float)
        # each coordinate is an equation that is linear in p
        rows = np.stack(
            [
                np.broadcast_to(self.matrix[0], (*points.shape[:-1], 4)),
                self.matrix[1] - points[..., 1:2] * self.matrix[3],
                self.matrix[2] - points[..., 2:3] * self.matrix[3],
            ],
            axis=-2,
        )
        right = -rows[..., 3]
        right[..., 0] += points[..., 0]
        return straightened(np.linalg.solve(rows[..., :3], right[..., None])[..., 0], self.bend, self.shape)

    @property
    def within_slices(self) -> bool:
        """Whether each slice of the region comes of one z of the raw grid."""
        reach = np.abs(self.matrix[0, 1:3]) * (np.array(self.shape[1:]) - 1)
        return bool(reach.sum() < 1e-3)

    @property
    def affine(self) -> np.ndarray:
        """4 x 4: the nearest map without perspective and bend, (z, y, x) of the region -> raw grid."""
        places = _places(self.shape)
        found, *_ = np.linalg.lstsq(_homogeneous(places), self.corners_3d.reshape(8, 3), rcond=None)
        if self.shape[0] == 1:
            found[0] = self.matrix[:3, 0]
        return np.vstack([found.T, [0, 0, 0, 1]])


def perspective(shape: Shape, corners_3d: np.ndarray) -> np.ndarray:
    """P, 4 x 4, by least squares from the region's eight corners; exact for affine maps and perspectives within slices.

    Args:
        shape: (nz, ny, nx) of the region.
        corners_3d: (2, 2, 2, 3).
    """
    places, goals = _places(shape), np.asarray(corners_3d, float).reshape(8, 3)
    # both sides from about 0 to 1, for the numbers' sake
    scale = np.diag([*(1 / np.maximum(np.array(shape) - 1, 1)), 1.0])
    least, span = goals[:, 1:].min(axis=0), max(float(np.ptp(goals[:, 1:])), 1.0)
    unit, aims = _homogeneous(places) @ scale, (goals[:, 1:] - least) / span
    zeros = np.zeros_like(unit)
    equations = np.vstack(
        [np.hstack([unit, zeros, -aims[:, :1] * unit]), np.hstack([zeros, unit, -aims[:, 1:] * unit])]
    )
    rows = _solution(equations, [column for column in range(12) if shape[0] > 1 or column % 4])
    tapered = rows[2, :3]
    rows[2, :3] = np.where(np.abs(tapered) < 1e-12, 0, tapered)
    rows[:2] = rows[:2] * span + least[:, None] * rows[2]
    depth, *_ = np.linalg.lstsq(unit, goals[:, 0], rcond=None)
    found = np.vstack([depth, rows])
    found[:3] = np.where(np.abs(found[:3] - np.rint(found[:3])) < 1e-9, np.rint(found[:3]), found[:3])
    if shape[0] == 1:  # the step along z is that of the raw grid
        found[0, 0] = 1
    return found @ scale


def _solution(equations: np.ndarray, kept: list[int]) -> np.ndarray:
    """(3, 4): what solves homogeneous equations best, 1 as its last number; terms in z are 0 in a region of one slice."""
    found = np.zeros(12)
    found[kept] = np.linalg.svd(equations[:, kept])[2][-1]
    return found.reshape(3, 4) / found[-1]


def _places(shape: Shape) -> np.ndarray:
    """(8, 3): the corners of the region's own grid."""
    return np.array(list(product(*((0.0, length - 1.0) for length in shape))))


def _homogeneous(points: np.ndarray) -> np.ndarray:
    return np.column_stack([points, np.ones(len(points))])

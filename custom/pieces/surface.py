"""Surface area of pieces from how often lines in many directions leave them."""

from __future__ import annotations

import numpy as np

from custom.pieces.directions import directions


def surface_areas(
    found: np.ndarray, at: np.ndarray, labels: np.ndarray, pieces: int, voxel_size: tuple[float, float, float]
) -> np.ndarray:
    """Surface area of each piece, as far as it belongs to some voxels: float64 (pieces,).

    See `directions`. What lies at the side of the stack is no surface: beyond it `found` is to go on as it ends.

    Args:
        found: bool (Z, Y, X), the mask with at least `REACH` voxels around those at `at`.
        at: flat places of the voxels that count, in `found`.
        labels: of which piece they are, 0, 1, ...
        pieces: how many there are.
        voxel_size: (z, y, x).
    """
    strides = np.array([found.shape[1] * found.shape[2], found.shape[2], 1])
    flat, areas = found.reshape(-1), np.zeros(pieces)
    for step, area in zip(*directions(voxel_size), strict=True):
        leaving = ~flat[at + int(step @ strides)]
        areas += area * np.bincount(labels[leaving], minlength=pieces)
    return areas

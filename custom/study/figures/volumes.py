"""Stacks brought to a size that can be drawn, and the surfaces in them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from skimage.measure import marching_cubes

LONGEST = 120  # voxels of a coarsened volume along each axis: some 10^5 triangles, seconds to draw
LEVEL = 0.3  # share of a coarse voxel from which it lies inside: at 0.5 thin dendrites would vanish

Volume = NDArray[np.float32]
Shape = tuple[int, int, int]


def coarse_steps(shape: Shape) -> Shape:
    """Whole factors (z, y, x) that bring a volume to at most `LONGEST` voxels along every axis."""
    z, y, x = (-(-n // LONGEST) for n in shape)
    return z, y, x


def coarsened(shape: Shape, read: Callable[[int, int], NDArray]) -> Volume:
    """Mean over blocks of `coarse_steps(shape)` voxels; what is left over at the far ends is dropped.

    Args:
        shape: (Z, Y, X) of the volume.
        read: gives its slices start, ..., stop - 1; it is asked for one layer of blocks at a time.
    """
    steps = coarse_steps(shape)
    depth, height, width = (n // step for n, step in zip(shape, steps, strict=True))
    out = np.empty((depth, height, width), np.float32)
    for i in range(depth):
        layer = np.asarray(read(i * steps[0], (i + 1) * steps[0]), np.float32)
        layer = layer[:, : height * steps[1], : width * steps[2]]
        out[i] = layer.reshape(steps[0], height, steps[1], width, steps[2]).mean(axis=(0, 2, 4))
    return out


def surface(volume: Volume, spacing: tuple[float, float, float]) -> NDArray[np.float64] | None:
    """Triangles (n, 3 corners, 3 coordinates z, y, x) around the voxels above `LEVEL`; None where there are none.

    Args:
        volume: (Z, Y, X) share of lithium in [0, 1].
        spacing: length of a voxel along z, y, x.
    """
    if volume.max(initial=0.0) <= LEVEL:
        return None
    closed = np.pad(volume, 1)  # surfaces end at the faces of the stack
    corners, faces, _, _ = marching_cubes(closed, LEVEL, spacing=spacing)
    triangles: NDArray[np.float64] = (corners - np.array(spacing))[faces]
    return triangles

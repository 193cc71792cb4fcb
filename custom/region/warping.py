"""Slices that each come of one raw slice by a perspective: OpenCV's, ten times as fast as a kernel of ours."""

from __future__ import annotations

import cv2
import numpy as np

from custom.region.grey import Grey
from custom.region.plan import Plan
from custom.region.window import Window

_TYPES = ("uint8", "uint16", "float32")  # what OpenCV 5 interpolates without rounding the fractions
_LONGEST = 32_766  # of OpenCV's images
_WHOLE = 1e-5  # slices by which a place may miss one


def warps(plan: Plan, shape: tuple[int, int, int], z: int, size: tuple[int, int], grey: Grey) -> bool:
    """Whether a slice of the region can be made so: decided for each alone, however slabs are cut.

    Args:
        plan: of the field.
        shape: of the field, (Z, Y, X).
        z: the region's slice.
        size: (ny, nx) of the region.
        grey: how values are stored.
    """
    least, most = plan.least[z], plan.most[z]
    source = round(float(least[0]))
    straight = abs(least[0] - source) < _WHOLE and abs(most[0] - source) < _WHOLE and 0 <= source < shape[0]
    inside = bool((least[1:] >= 0).all() and (most[1:] <= np.array(shape[1:]) - 1).all())
    small = max(*plan.box, *size) <= _LONGEST
    return straight and inside and small and grey.turns_in_place and grey.dtype.name in _TYPES


def warp(window: Window, plan: Plan, start: int, out: np.ndarray, grey: Grey) -> None:
    """Fill slices of the region from `start` on, (h, ny, nx), for which `warps` says yes."""
    for number, plane in enumerate(out):
        z = round(float(plan.least[start + number, 0]))
        cv2.warpPerspective(
            window.box(z),
            _homography(plan.matrix, start + number, plan.corner[z]),
            plane.shape[::-1],
            dst=plane,
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        grey.turn(plane)


def _homography(matrix: np.ndarray, z: int, corner: np.ndarray) -> np.ndarray:
    """3 x 3, from (x, y, 1) of a slice to (x, y, 1) of the box of its raw slice."""
    rows = matrix[[2, 1, 3]]
    found = np.column_stack([rows[:, 2], rows[:, 1], rows[:, 0] * z + rows[:, 3]])
    found[:2] -= corner[::-1, None] * found[2]
    return found

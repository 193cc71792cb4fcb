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


def warped(window: Window, plan: Plan, shape: tuple[int, int, int], start: int, out: np.ndarray, grey: Grey) -> bool:
    """Fill a slab by OpenCV's perspective, or tell that it cannot be done.

    Args:
        window: holds the raw slices.
        plan: of the field.
        shape: of the field, (Z, Y, X).
        start: the slab's first slice.
        out: (h, ny, nx), filled where True is returned.
        grey: how values are stored.
    """
    least, most = plan.least[start : start + len(out)], plan.most[start : start + len(out)]
    source = np.rint(least[:, 0])
    inside = (least[:, 1:] >= 0).all() and (most[:, 1:] <= np.array(shape[1:]) - 1).all()
    straight = np.abs(least[:, 0] - source).max() < _WHOLE and np.abs(most[:, 0] - source).max() < _WHOLE
    within = source.min() >= 0 and source.max() < shape[0]
    small = max(*plan.box, *out.shape[1:]) <= _LONGEST
    if not (inside and straight and within and small and grey.turns_in_place and out.dtype.name in _TYPES):
        return False
    for number, plane in enumerate(out):
        z = int(source[number])
        cv2.warpPerspective(
            window.box(z),
            _homography(plan.matrix, start + number, plan.corner[z]),
            plane.shape[::-1],
            dst=plane,
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        grey.turn(plane)
    return True


def _homography(matrix: np.ndarray, z: int, corner: np.ndarray) -> np.ndarray:
    """3 x 3, from (x, y, 1) of a slice to (x, y, 1) of the box of its raw slice."""
    rows = matrix[[2, 1, 3]]
    found = np.column_stack([rows[:, 2], rows[:, 1], rows[:, 0] * z + rows[:, 3]])
    found[:2] -= corner[::-1, None] * found[2]
    return found

"""Four corners as a person typed them: in the order that is meant, put into it where there is no doubt, or refused."""

from __future__ import annotations

import numpy as np

from custom.base.errors import BadInput
from custom.region.corners import Quad, as_quad
from custom.stack import warn_once

_ALONG = 35.0  # degrees between the quad and the axes up to which there is no doubt which corner is which


def ordered(name: str, key: str, quad: Quad) -> Quad:
    """The quad in the order (first, first), (first, last), (last, last), (last, first); one warning where it was not.

    Args:
        name: of the file.
        key: yx, zx or zy.
        quad: four points.

    Raises:
        BadInput: no order makes a quadrilateral without dents of them, or it lies askew so that several would do.
    """
    points = np.array(quad)
    if _is_sound(points) and abs(_angle(points)) <= 45:
        return quad
    centre = points.mean(axis=0)
    around = points[np.argsort(np.arctan2(*(points - centre).T), kind="stable")]
    if not _is_sound(around):
        raise BadInput(
            f"{name}: the corners {key} cross or make no quadrilateral, {_shown(points)}; give the four outermost points, "
            f"[{key[0]}, {key[1]}] each, in the order {_order(key)}."
        )
    turned = min((np.roll(around, -start, axis=0) for start in range(4)), key=lambda one: abs(_angle(one)))
    if abs(_angle(turned)) > _ALONG:
        raise BadInput(
            f"{name}: the corners {key} are not in the order {_order(key)}, and lie too far askew to be put into it, "
            f"{_shown(points)}; give them in that order."
        )
    found = as_quad(list(turned))
    warn_once(
        f"{name}: the corners {key} were in another order than {_order(key)}; they are taken as {_shown(turned)}."
    )
    return found


def _is_sound(points: np.ndarray) -> bool:
    """Whether it goes round without a dent, from the first corner along the second axis first."""
    steps = np.roll(points, -1, axis=0) - points
    following = np.roll(steps, -1, axis=0)
    turns = following[:, 0] * steps[:, 1] - following[:, 1] * steps[:, 0]
    lengths = np.linalg.norm(steps, axis=1) * np.linalg.norm(following, axis=1)
    return bool(np.all(turns > 1e-3 * np.maximum(lengths, 1e-9)))


def _angle(points: np.ndarray) -> float:
    """Degrees by which its sides are turned against the axes, on average; of the shorter pair counts as much as the longer."""
    along = (points[1] - points[0]) + (points[2] - points[3])
    across = (points[3] - points[0]) + (points[2] - points[1])
    tilts = np.arctan2(along[0], along[1]), np.arctan2(-across[1], across[0])
    both = np.exp(1j * np.array(tilts)).sum()
    return float(np.degrees(np.angle(both)))


def _order(key: str) -> str:
    first, last = (f"{end} {key[0]}" for end in ("first", "last"))
    return f"({first}, first {key[1]}), ({first}, last {key[1]}), ({last}, last {key[1]}), ({last}, first {key[1]})"


def _shown(points: np.ndarray) -> str:
    return "[" + ", ".join(f"[{first:.6g}, {second:.6g}]" for first, second in points) + "]"

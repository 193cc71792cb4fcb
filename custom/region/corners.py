"""Corners of a region: four in each projection, and the eight in space that they stand for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

Quad = tuple[tuple[float, float], ...]

# the corners of a quad by their place along its two axes, 0 is the first, 1 the last
ORDER = ((0, 0), (0, 1), (1, 1), (1, 0))
AXES: Mapping[str, tuple[int, int]] = {"yx": (1, 2), "zx": (0, 2), "zy": (0, 1)}


@dataclass(frozen=True)
class Corners:
    """The outermost voxel centres of a region, seen along each axis of the raw grid.

    Each is four points in the order (first, first), (first, last), (last, last), (last, first) of its two axes, or None
    where it is straight: without `zx` and `zy` the region goes from the first slice to the last one.

    Attributes:
        yx: (y, x) of the corners, seen along z.
        zx: (z, x), seen along y.
        zy: (z, y), seen along x.
    """

    yx: Quad | None
    zx: Quad | None = None
    zy: Quad | None = None

    def quads(self) -> dict[str, Quad]:
        """Those that are stated, by their names."""
        return {name: quad for name in AXES if (quad := getattr(self, name)) is not None}


class _Seen(NamedTuple):
    """One coordinate of the corners in the two projections that show it, by their place along the axes."""

    first: np.ndarray | None
    second: np.ndarray | None


def corners_of(corners: Corners, depth: int) -> np.ndarray:
    """The eight corners in the raw grid.

    A projection shows each corner twice, at the mean of the two that coincide in it; so a coordinate is the sum of what
    its two projections say, less what both say. For every box that is shifted, turned or sheared that is exact.

    Args:
        corners: seen along the axes; `yx`, or both others, are stated.
        depth: Z of the raw grid.

    Returns:
        float64 (2, 2, 2, 3): (z, y, x) by the place along z, y and x.
    """
    yx, zx, zy = (_by_place(getattr(corners, name)) for name in ("yx", "zx", "zy"))
    straight = np.array([0.0, depth - 1.0])
    # each coordinate as (z, y, x) places, with one axis of length 1 where the projection looks along it
    z = _joined(_Seen(_spread(zx, 0, 1), _spread(zy, 0, 2)), shared=0, otherwise=straight[:, None, None])
    y = _joined(_Seen(_spread(yx, 0, 0), _spread(zy, 1, 2)), shared=1)
    x = _joined(_Seen(_spread(yx, 1, 0), _spread(zx, 1, 1)), shared=2)
    return np.stack(np.broadcast_arrays(z, y, x, np.empty((2, 2, 2)))[:3], axis=-1)


def quads_of(corners_3d: np.ndarray) -> Corners:
    """What eight corners look like in the projections, the inverse of `corners_of` for shifted, turned or sheared boxes.

    Args:
        corners_3d: (2, 2, 2, 3), as `corners_of` returns them.
    """
    points = np.asarray(corners_3d, float)
    found: dict[str, Quad] = {}
    for name, (first, second) in AXES.items():
        (along,) = {0, 1, 2} - {first, second}
        seen = points.mean(axis=along)[..., [first, second]]
        found[name] = as_quad([seen[place] for place in ORDER])
    return Corners(**found)


def as_quad(points: Sequence[Sequence[float]] | Sequence[np.ndarray]) -> Quad:
    """Four points as plain numbers."""
    return tuple((float(first), float(second)) for first, second in points)


def _by_place(quad: Quad | None) -> np.ndarray | None:
    """(2, 2, 2): coordinates by the place along the projection's two axes."""
    if quad is None:
        return None
    found = np.empty((2, 2, 2))
    for place, point in zip(ORDER, quad, strict=True):
        found[place] = point
    return found


def _spread(quad: np.ndarray | None, coordinate: int, along: int) -> np.ndarray | None:
    """One coordinate of a projection, with an axis of length 1 where it looks along."""
    return None if quad is None else np.expand_dims(quad[..., coordinate], along)


def _joined(seen: _Seen, shared: int, otherwise: np.ndarray | None = None) -> np.ndarray:
    """One coordinate of the eight corners, from the projections that show it; `shared` is the axis that both have."""
    known = [one for one in seen if one is not None]
    if not known:
        assert otherwise is not None, "a coordinate that no projection shows"
        return otherwise
    if len(known) == 1:
        return known[0]
    others = tuple(axis for axis in range(3) if axis != shared)
    both = sum(one.mean(axis=others, keepdims=True) for one in known) / 2
    joined: np.ndarray = known[0] + known[1] - both
    return joined

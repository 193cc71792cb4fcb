"""The rough outline of a cell in the coarse copy of a raw volume: what is not air, how it is turned, how far it reaches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from custom.region.frame import Frame
from custom.region.part import Volume
from custom.region.surfaces import Surface, fitted

Floats = NDArray[np.float64]

_APART = 5.0  # standard deviations of the air's noise by which the cell's grey value differs from air's, at least
_LOW = 0.15  # of the cell's own difference from air: what still belongs to it; lithium has a third of the polymer's
_LEAST, _MOST = 0.01, 0.9  # share of the known voxels that a cell fills
_FLAT = 0.93  # its thickness over its width, at most; else which way it is turned is not to be told
_WHOLE = 0.6  # of the usual extent along an axis: what a column has at least; at the rims it is less
_CLOSED = (("n", ("z", "w"), ("first", "last"), 4), ("w", ("z", "n"), ("left", "right"), 1))  # within a slice


@dataclass(frozen=True)
class Outline:
    """Where a cell lies, roughly; all in voxels of the raw grid.

    Attributes:
        frame: turned with the cell.
        z, w: from where to where it reaches along z and along the width.
        faces: its outer faces: n of "first" and "last" over (z, w), bent; as planes w of "left" and "right" over (z, n) and
            z of "low" and "high" over (n, w).
        air, edge: grey value of the air, and one clearly beyond its noise towards the cell's.
    """

    frame: Frame
    z: tuple[float, float]
    w: tuple[float, float]
    faces: Mapping[str, Surface]
    air: float
    edge: float


def outline_of(coarse: Volume, factor: int) -> Outline | None:
    """The outline of the largest flat thing in a volume, or None where there is none.

    Args:
        coarse: (Z, Y, X), NaN outside the reconstruction.
        factor: how much coarser than the raw grid it is.
    """
    known = np.isfinite(coarse)
    if not known.any():
        return None
    air, edge = _levels(coarse, known)
    if air is None:
        return None
    solid = _largest(known & ((coarse > edge) if edge > air else (coarse < edge)))
    if not _LEAST < solid.sum() / known.sum() < _MOST:
        return None
    frame = _turned(solid, factor)
    return None if frame is None else _outline(solid, factor, frame, air, edge)


def _levels(coarse: Volume, known: NDArray[np.bool_]) -> tuple[float | None, float]:
    """Grey value of the air, which lies all around at the rim of the slices, and what lies clearly beyond its noise."""
    rim = known & ~ndimage.binary_erosion(known.all(axis=0), iterations=max(min(coarse.shape[1:]) // 16, 2))
    values = coarse[rim & ndimage.binary_erosion(known, np.ones((1, 3, 3)), iterations=2, border_value=1)]
    if not values.size:
        return None, 0.0
    air = float(np.median(values))
    spread = 1.4826 * float(np.median(np.abs(values - air))) + 1e-12
    apart = coarse[known] - air
    far = apart[np.abs(apart) > _APART * spread]
    if far.size < _LEAST * apart.size:
        return None, 0.0
    height = float(np.median(far))
    return air, air + np.sign(height) * max(_APART * spread, _LOW * abs(height))


def _largest(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The largest piece, what it encloses in each slice filled: electrodes may absorb as little as air."""
    labels, count = ndimage.label(mask)
    if not count:
        return np.zeros_like(mask)
    solid: NDArray[np.bool_] = labels == 1 + int(np.argmax(np.bincount(labels.ravel())[1:]))
    for z in range(len(solid)):
        solid[z] = ndimage.binary_opening(ndimage.binary_fill_holes(solid[z]), np.ones((3, 3)))
    return solid


def _turned(solid: NDArray[np.bool_], factor: int) -> Frame | None:
    """The frame whose n is the direction in which a slice of the cell is thinnest; None where none is much thinner."""
    _, y, x = np.nonzero(solid)
    spread = np.cov(np.stack([y, x]))
    sizes, axes = np.linalg.eigh(spread)
    if np.sqrt(sizes[0] / sizes[1]) > _FLAT:
        return None
    n_y, n_x = axes[:, 0] * (1 if axes[0, 0] > 0 or (axes[0, 0] == 0 and axes[1, 0] > 0) else -1)
    centre = [(factor * side - 1) / 2 for side in solid.shape[1:]]
    return Frame(float(np.arctan2(-n_x, n_y)), *centre)


def _outline(solid: NDArray[np.bool_], factor: int, frame: Frame, air: float, edge: float) -> Outline:
    z, y, x = (factor * place + (factor - 1) / 2 for place in np.nonzero(solid))
    n, w = frame.framed(y.astype(float), x.astype(float))
    own = {"z": z.astype(float), "n": n, "w": w}
    found: dict[str, Surface] = {}
    for along, (first, second), names, order in _CLOSED:
        at, low, high = _extents(own[along], own[first], own[second], factor)
        for name, heights in zip(names, (low - factor / 2, high + factor / 2), strict=True):
            found[name] = fitted(at[:, 0], at[:, 1], heights, order)
        if along == "n":
            ends = [(float(axis.min()), float(axis.max())) for axis in at.T]
    leaning = _Leaning(found)
    at, *both = _extents(own["z"], *leaning.off(own["z"], n, w), factor)
    for name, heights, beyond in zip(("low", "high"), both, (-factor / 2, factor / 2), strict=True):
        found[name] = fitted(*leaning.at(heights, *at.T), heights + beyond, 1)
    return Outline(frame, ends[0], ends[1], found, air, edge)


class _Leaning:
    """Where the middle of a cell lies at each z. A tall cell leans by more than it is thick: columns along z leave it through
    its large faces, and only those that lean with it end at its ends.

    Args:
        faces: "first" and "last", "left" and "right" of an outline.
    """

    def __init__(self, faces: Mapping[str, Surface]) -> None:
        self._faces = faces

    def off(self, z: Floats, n: Floats, w: Floats) -> tuple[Floats, Floats]:
        """n and w from the middle."""
        return n - self._middle("first", "last", z, w), w - self._middle("left", "right", z, n)

    def at(self, z: Floats, n_off: Floats, w_off: Floats) -> tuple[Floats, Floats]:
        """n and w of such places."""
        n = n_off + self._middle("first", "last", z, w_off)
        w = w_off + self._middle("left", "right", z, n)
        return n_off + self._middle("first", "last", z, w), w

    def _middle(self, one: str, other: str, z: Floats, across: Floats) -> Floats:
        found: Floats = (self._faces[one].at(z, across) + self._faces[other].at(z, across)) / 2
        return found


def _extents(along: Floats, first: Floats, second: Floats, factor: int) -> tuple[Floats, Floats, Floats]:
    """From where to where the cell reaches along one axis, over columns of a coarse voxel: their places, both ends."""
    columns = np.stack([np.round(axis / factor).astype(int) for axis in (first, second)])
    keys, where = np.unique(columns, axis=1, return_inverse=True)
    low, high = np.full(keys.shape[1], np.inf), np.full(keys.shape[1], -np.inf)
    np.minimum.at(low, where, along)
    np.maximum.at(high, where, along)
    thick = high - low > _WHOLE * np.median(high - low)
    return keys.T[thick] * float(factor), low[thick], high[thick]

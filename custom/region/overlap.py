"""How far two fields of view may overlap along z, found from their coarse copies by correlation at every possible shift."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from custom.region.part import Volume, smoothed, varying

_MOST = 0.4  # of the lower of two fields that may be overlap
_LEAST = 5  # slices of the copies; fewer match too much by chance
_TRIED = 40  # shifts along z
_ASIDE = 0.125  # of a slice's sides: how far a field may be shifted within the slice
# correlation of the grey values of two fields where they overlap: .99 and more; layers alone bring .94 to a wrong place along
# z. Where the upper end of a cell in one field is laid over its lower end in the other, air comes to lie on cell: .65
LEAST_ALIKE = 0.8


@dataclass(frozen=True)
class Overlap:
    """A match of an upper field with a lower one, in voxels of their coarse copies.

    Attributes:
        shift: (z, y, x) of the upper field's first voxel in the lower field.
        significance: of what changes along z: the correlation times the root of the slices that correlate.
        correlation: of it there.
        alike: correlation of the grey values themselves, layers and air and all.
    """

    shift: tuple[float, float, float]
    significance: float
    correlation: float
    alike: float


class Ends:
    """The lower and the upper part of a field.

    Args:
        copy: (Z, Y, X), NaN where unknown.
    """

    def __init__(self, copy: Volume) -> None:
        self.depth = len(copy)
        count = max(round(_MOST * len(copy)), min(_LEAST, len(copy)))
        self.low, self.high = (smoothed(part, 0.7, 1.0) for part in (copy[:count], copy[-count:]))


def overlaps(lower: Ends, upper: Ends) -> list[Overlap]:
    """Where the upper field may begin in the lower one: the most significant match, and the one that correlates best.

    A long overlap, where layers match by and by, may be more significant than the true one of a few slices. The first of
    them is the likelier one. Both fields have the same slice shape.

    Returns:
        One or two; none where fewer than three slices could overlap. Only the first may be less alike than `LEAST_ALIKE`,
        and then it is the only one.
    """
    most = min(len(lower.high), len(upper.low))
    step = max(most // _TRIED, 1)
    tried = {count: _overlap(lower, upper, count) for count in range(min(_LEAST, most), most + 1, step) if count >= 3}
    found: list[Overlap] = []
    for best in (_most_significant, _best_correlated):
        for count in _beside(best(tried), lower.depth, step):
            if count not in tried and min(_LEAST, most) <= count <= most:
                tried[count] = _overlap(lower, upper, count)
        found += [one for one in (best(tried),) if one is not None and one not in found]
    return [one for one in found if one.alike >= LEAST_ALIKE] or found[:1]


def _most_significant(tried: Mapping[int, Overlap]) -> Overlap | None:
    return _first_alike(tried, lambda one: one.significance)


def _best_correlated(tried: Mapping[int, Overlap]) -> Overlap | None:
    return _first_alike(tried, lambda one: one.correlation)


def _first_alike(tried: Mapping[int, Overlap], worth: Callable[[Overlap], float]) -> Overlap | None:
    """The best one whose grey values are alike; the best one at all where none are."""
    ranked = sorted(tried.values(), key=worth, reverse=True)
    return next((one for one in ranked if one.alike >= LEAST_ALIKE), ranked[0] if ranked else None)


def _beside(found: Overlap | None, depth: int, step: int) -> range:
    """The numbers of overlapping slices between the tried ones, around the one that was found."""
    if found is None:
        return range(0)
    count = depth - round(found.shift[0])
    return range(count - step + 1, count + step)


def _overlap(lower: Ends, upper: Ends, count: int) -> Overlap:
    """The best match in which that many slices overlap."""
    one, other = lower.high[-count:], upper.low[:count]
    below, above = varying(one, 1.0), varying(other, 1.0)
    norm = float(np.sqrt(np.square(below).sum() * np.square(above).sum()))
    if norm == 0:
        return Overlap((float(lower.depth - count), 0.0, 0.0), 0.0, 0.0, 0.0)
    waves = (fft.rfft2(below) * fft.rfft2(above).conj()).sum(axis=0)
    surface = _near_zero(fft.irfft2(waves, below.shape[1:]))
    row, column = np.unravel_index(int(surface.argmax()), surface.shape)
    correlation = float(surface[row, column]) / norm
    y, x = int(row) - surface.shape[0] // 2, int(column) - surface.shape[1] // 2
    shift = float(lower.depth - count), float(y), float(x)
    return Overlap(shift, correlation * count**0.5, correlation, _alike(one, other, y, x))


def _alike(below: Volume, above: Volume, y: int, x: int) -> float:
    """Correlation of the grey values where both are known, the upper part moved by y and x."""
    rows, columns = below.shape[1:]
    low = below[:, max(y, 0) : rows + min(y, 0), max(x, 0) : columns + min(x, 0)]
    high = above[:, max(-y, 0) : rows + min(-y, 0), max(-x, 0) : columns + min(-x, 0)]
    return correlated(low, high)


def correlated(one: Volume, other: Volume) -> float:
    """Pearson's correlation of two volumes where both are known (not NaN); 0 where either is even."""
    both = np.isfinite(one) & np.isfinite(other)
    if np.count_nonzero(both) < 2:
        return 0.0
    first, second = (some[both] for some in (one, other))
    for some in (first, second):
        some -= np.float32(some.mean(dtype=np.float64))  # exactly 0 of what is even
    pairs = (first, second), (first, first), (second, second)
    product, square, other_square = (float(np.multiply(*pair).sum(dtype=np.float64)) for pair in pairs)
    norm = math.sqrt(square * other_square)
    return product / norm if norm else 0.0


def _near_zero(surface: NDArray) -> NDArray:
    """The part of a circular correlation around no shift, which then lies in its middle."""
    most = [max(int(_ASIDE * side), 2) for side in surface.shape]
    rolled = np.roll(surface, most, axis=(0, 1))
    part: NDArray = rolled[: 2 * most[0] + 1, : 2 * most[1] + 1]
    return part

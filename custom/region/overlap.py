"""How far two fields of view overlap along z, found from their coarse copies by correlation at every possible shift."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from custom.region.part import Volume, smoothed, varying

_MOST = 0.4  # of the lower of two fields that may be overlap
_LEAST = 5  # slices of the copies; fewer match too much by chance
_TRIED = 40  # shifts along z
_ASIDE = 0.125  # of a slice's sides: how far a field may be shifted within the slice


@dataclass(frozen=True)
class Overlap:
    """The best match of an upper field with a lower one, in voxels of their coarse copies.

    Attributes:
        shift: (z, y, x) of the upper field's first voxel in the lower field.
        significance: of what changes along z: the correlation times the root of the slices that correlate.
        correlation: of it there.
    """

    shift: tuple[float, float, float]
    significance: float
    correlation: float


class Ends:
    """The lower and the upper part of a field.

    Args:
        copy: (Z, Y, X), NaN where unknown.
    """

    def __init__(self, copy: Volume) -> None:
        self.depth = len(copy)
        count = max(round(_MOST * len(copy)), min(_LEAST, len(copy)))
        self.low, self.high = (smoothed(part, 0.7, 1.0) for part in (copy[:count], copy[-count:]))


def best_overlap(lower: Ends, upper: Ends) -> Overlap:
    """Where the upper field begins in the lower one, whichever way they correlate best; both of the same slice shape."""
    most = min(len(lower.high), len(upper.low))
    step = max(most // _TRIED, 1)
    found = Overlap((float(lower.depth), 0.0, 0.0), 0.0, 0.0)
    for count in range(min(_LEAST, most), most + 1, step):
        found = _better(found, lower, upper, count)
    best = lower.depth - round(found.shift[0])
    for count in range(max(best - step + 1, min(_LEAST, most)), min(best + step, most + 1)):
        found = _better(found, lower, upper, count) if step > 1 and count != best else found
    return found


def _better(found: Overlap, lower: Ends, upper: Ends, count: int) -> Overlap:
    if count < 3:
        return found
    below, above = varying(lower.high[-count:], 1.0), varying(upper.low[:count], 1.0)
    norm = float(np.sqrt(np.square(below).sum() * np.square(above).sum()))
    if norm == 0:
        return found
    waves = (fft.rfft2(below) * fft.rfft2(above).conj()).sum(axis=0)
    surface = _near_zero(fft.irfft2(waves, below.shape[1:]))
    y, x = np.unravel_index(int(surface.argmax()), surface.shape)
    correlation = float(surface[y, x]) / norm
    if correlation * count**0.5 <= found.significance:
        return found
    shift = float(lower.depth - count), float(y - surface.shape[0] // 2), float(x - surface.shape[1] // 2)
    return Overlap(shift, correlation * count**0.5, correlation)


def _near_zero(surface: NDArray) -> NDArray:
    """The part of a circular correlation around no shift, which then lies in its middle."""
    most = [max(int(_ASIDE * side), 2) for side in surface.shape]
    rolled = np.roll(surface, most, axis=(0, 1))
    part: NDArray = rolled[: 2 * most[0] + 1, : 2 * most[1] + 1]
    return part

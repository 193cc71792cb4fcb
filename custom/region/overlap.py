"""How far two fields of view overlap along z, found from their coarse copies by correlation at every possible shift."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from custom.region.part import Volume, band_passed

_MOST = 0.6  # of the lower of two fields that may be overlap
_LEAST = 2  # coarse slices; one alone would match too much by chance
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
    """What the lower and the upper part of a field show that changes along z, as transforms of their slices.

    Args:
        coarse: (Z, Y, X), NaN where unknown.
    """

    def __init__(self, coarse: Volume) -> None:
        band = band_passed(coarse, 1.0, along_z=True)
        self.shape = coarse.shape
        self.count = max(round(_MOST * len(coarse)), min(_LEAST, len(coarse)))
        self.low, self.high = band[: self.count], band[-self.count :]
        self.low_waves, self.high_waves = fft.rfft2(self.low), fft.rfft2(self.high)


def best_overlap(lower: Ends, upper: Ends) -> Overlap:
    """Where the upper field begins in the lower one, whichever way they correlate best; both of the same slice shape."""
    rows, columns = lower.shape[1:]
    found = Overlap((float(lower.shape[0]), 0.0, 0.0), 0.0, 0.0)
    energy_low, energy_up = (np.square(part).sum(axis=(1, 2)) for part in (lower.high, upper.low))
    for count in range(_LEAST, min(lower.count, upper.count) + 1):
        waves = (lower.high_waves[-count:] * upper.low_waves[:count].conj()).sum(axis=0)
        norm = float(np.sqrt(energy_low[-count:].sum() * energy_up[:count].sum()))
        if norm == 0:
            continue
        surface = _near_zero(fft.irfft2(waves, (rows, columns)))
        y, x = np.unravel_index(int(surface.argmax()), surface.shape)
        correlation = float(surface[y, x]) / norm
        if correlation * count**0.5 > found.significance:
            at = float(y - surface.shape[0] // 2), float(x - surface.shape[1] // 2)
            found = Overlap((float(lower.shape[0] - count), *at), correlation * count**0.5, correlation)
    return found


def _near_zero(surface: NDArray) -> NDArray:
    """The part of a circular correlation around no shift, which then lies in its middle."""
    most = [max(int(_ASIDE * side), 2) for side in surface.shape]
    rolled = np.roll(surface, most, axis=(0, 1))
    part: NDArray = rolled[: 2 * most[0] + 1, : 2 * most[1] + 1]
    return part

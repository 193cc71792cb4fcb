"""Slices of a field of view that are registered with another one's, and what there is to be seen in them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Volume = NDArray[np.float32]
Shift = tuple[float, float, float]

_BAND = 6.0  # times its smoothing: the background that is taken off a band is so much smoother
_EDGE = 2  # slices at both ends, which the smoothing had nothing beyond of


@dataclass(frozen=True)
class Move:
    """Where a field of view lies in the one below it.

    A voxel q = (z, y, x) of the lower field lies in the upper one at z - shift_z and, in the slice, at
    R(-rotation) ((y, x) - shift) about the slice's centre, as in `custom.region.fields`.

    Attributes:
        shift: (z, y, x) in voxels.
        rotation_deg: about z.
    """

    shift: Shift
    rotation_deg: float


@dataclass(frozen=True)
class Part:
    """Some slices of a field of view.

    Attributes:
        values: (h, Y // step, X // step), means over squares of step x step, NaN where unknown.
        first: the number of the first of these slices in the field.
        step: 1, or how much coarser they are within the slice.
        sides: (Y, X) of the field.
    """

    values: Volume
    first: int
    step: int
    sides: tuple[int, int]

    @property
    def centre(self) -> tuple[float, float]:
        """(y, x) of the slice's centre, in voxels of `values`."""
        y, x = ((side - self.step) / (2 * self.step) for side in self.sides)
        return y, x


def band_passed(volume: Volume, sigma: float, along_z: bool = False) -> Volume:
    """What a volume shows at one size of detail, 0 where it is unknown (NaN).

    Args:
        sigma: smoothing in voxels; what is smoother than `_BAND` times that goes.
        along_z: only what changes along z stays, as the layers of a flat cell do not.
    """
    known = np.isfinite(volume)
    filled = np.where(known, volume, np.float32(0))
    weight = known.astype(np.float32)
    fine = _normalised(filled, weight, (sigma, sigma, sigma))
    wide = _BAND * sigma
    background = _normalised(filled, weight, (wide, sigma, sigma) if along_z else (0, wide, wide))
    return np.where(ndimage.binary_erosion(known, iterations=2, border_value=1), fine - background, np.float32(0))


def _normalised(filled: Volume, weight: Volume, sigma: tuple[float, float, float]) -> Volume:
    """Gaussian means of the known voxels alone."""
    total: Volume = ndimage.gaussian_filter(filled, sigma, truncate=3)
    if weight.all():
        return total
    return total / np.maximum(ndimage.gaussian_filter(weight, sigma, truncate=3), np.float32(1e-3))


def structured(band: Volume) -> NDArray[np.bool_]:
    """The half of the voxels around which most is to be seen; air teaches nothing."""
    energy = ndimage.uniform_filter(band**2, (1, 7, 7)).max(axis=0, keepdims=True)
    return np.broadcast_to(energy > np.median(energy), band.shape)


def inner(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """A mask (h, Y, X) without its first and last slices."""
    kept = mask.copy()
    edge = min(_EDGE, (len(kept) - 1) // 4)
    kept[:edge] = kept[len(kept) - edge :] = False
    return kept

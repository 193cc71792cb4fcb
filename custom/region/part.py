"""Slices of a field of view that are registered with another one's, and what there is to be seen in them."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, signal

Volume = NDArray[np.float32]
Shift = tuple[float, float, float]

_BAND = 6.0  # times its smoothing: the background that is taken off a band is so much smoother
_WINDOW = 13  # slices over which a change along z is even or not
_NOISE, _MOST = 2.5, 8.0  # standard deviations of the noise that are taken off a change, and that it then has at most
_EDGE = 1  # slices at both ends that are left out


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


def band_passed(volume: Volume, sigma: float) -> Volume:
    """What a volume shows at one size of detail, 0 where it is unknown (NaN).

    Args:
        sigma: smoothing in voxels; what is smoother than `_BAND` times that within a slice goes.
    """
    known = np.isfinite(volume)
    filled = np.where(known, volume, np.float32(0))
    weight = _once(known)
    fine = _normalised(filled, weight, (sigma, sigma, sigma))
    background = _normalised(filled, weight, (0, _BAND * sigma, _BAND * sigma))
    return np.where(ndimage.binary_erosion(weight, iterations=2, border_value=1), fine - background, np.float32(0))


def varying(volume: Volume, sigma: float) -> Volume:
    """What clearly changes along z, otherwise than evenly, each slice of mean square 1; 0 where the volume is unknown (NaN).

    The layers of a flat cell are the same in every slice, and move evenly where it is tilted: they match everywhere. Noise
    is taken off, or the few grains and the roughness that are left could not be told in it.

    Args:
        volume: (h, Y, X) smoothed, h at least 3; of two that are compared the same slices, for the change counts from their
            own mean.
        sigma: of that smoothing within the slice.
    """
    known = np.isfinite(volume)
    fine = np.where(known, volume, np.float32(0))
    if len(fine) > _WINDOW:
        fine -= signal.savgol_filter(fine, _WINDOW, 1, axis=0, mode="interp")
    else:
        fine = signal.detrend(fine, axis=0).astype(np.float32, copy=False)
    fine[~known] = 0
    columns = known.any(axis=0)
    noise = [
        1.4826 * float(np.median(np.abs(plane[columns]))) for plane in fine
    ]  # by slice: this is a tenth of a gigabyte
    fine /= np.maximum(np.array(noise, np.float32), np.float32(1e-12))[:, None, None]
    clear = np.abs(fine)
    clear -= _NOISE
    np.copysign(np.clip(clear, 0, _MOST, out=clear), fine, out=clear)
    size = np.sqrt(np.mean(clear**2, axis=(1, 2), keepdims=True))
    clear /= np.maximum(size, np.float32(0.05))
    return clear


def smoothed(volume: Volume, along: float, within: float) -> Volume:
    """Gaussian means of the known voxels, NaN where the volume is unknown (NaN) and two voxels around that in the slice.

    Args:
        along, within: standard deviation along z and within the slice.
    """
    known = np.isfinite(volume)
    weight = _once(known)
    found = _normalised(np.where(known, volume, np.float32(0)), weight, (along, within, within))
    return np.where(ndimage.binary_erosion(weight, np.ones((1, 5, 5)), border_value=1), found, np.float32(np.nan))


def _once(known: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """One slice (1, Y, X) of a mask that is the same in all, as that of a reconstruction circle is."""
    return known[:1] if (known == known[:1]).all() else known


def _within(volume: Volume, sigma: float) -> Volume:
    """Gaussian means within each slice, mirrored at the sides; by OpenCV, in a fifth of SciPy's time."""
    size = 2 * round(3 * sigma) + 1
    found = np.empty_like(volume)
    for plane, target in zip(volume, found, strict=True):
        cv2.GaussianBlur(plane, (size, size), sigma, target, sigma, cv2.BORDER_REFLECT)
    return found


def _normalised(filled: Volume, weight: NDArray[np.bool_], sigma: tuple[float, float, float]) -> Volume:
    """Gaussian means of the known voxels alone; beyond its ends a volume goes on along z as a straight line.

    Mirrored, as filters usually have it, the layers of a cell that is tilted by 4 degrees would move by a tenth of a voxel,
    and so a match along z, where they are all that is to be seen, by more than one.
    """

    def means(values: Volume) -> Volume:
        found = _within(values, sigma[1])
        beyond = min(round(3 * sigma[0]), len(values) - 1)
        if beyond < 1:
            return found
        padded = np.pad(found, ((beyond, beyond), (0, 0), (0, 0)), "reflect", reflect_type="odd")
        smooth: Volume = ndimage.gaussian_filter1d(padded, sigma[0], axis=0, truncate=3)[beyond:-beyond]
        return smooth

    total: Volume = means(filled).astype(np.float32, copy=False)
    if weight.all():
        return total
    found: Volume = (total / np.maximum(means(weight.astype(np.float32)), 1e-3)).astype(np.float32, copy=False)
    return found


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

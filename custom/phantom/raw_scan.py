"""What a scan adds to the voxels of a raw field of view: noise, rings, drift along z, a grey scale of its own, the circle."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from custom.phantom.raw_layout import circle_radius
from custom.phantom.raw_map import Shape

Floats = NDArray[np.float32]

OUTSIDE = 0  # grey value outside the circle
KNOT = 16  # slices between which rings change
NEIGHBOUR = (
    0.08  # share of a voxel's noise in each neighbour: adjacent voxels correlate by 0.16, as in a reconstruction
)


@dataclass(frozen=True)
class FieldFaults:
    """What differs between fields of view; attenuations are relative to the polymer's.

    Attributes:
        noise: standard deviation.
        rings: standard deviation at 40 voxels from the centre.
        drift: largest relative change of grey along z.
        waves: cycles of the drift over the field, and where it begins, in cycles.
        scale, offset: scale * value + offset is a grey value in the first field's scale.
    """

    noise: float
    rings: float
    drift: float
    waves: tuple[float, float]
    scale: float = 1.0
    offset: float = 0.0

    @classmethod
    def draw(cls, rng: np.random.Generator, first: bool, grey_scale: float) -> FieldFaults:
        """Draw the faults of the first field or of another; `grey_scale`: grey values from air to polymer."""
        waves = float(rng.uniform(0.3, 0.8)), float(rng.uniform())
        faults = cls(
            float(rng.uniform(0.08, 0.12)), float(rng.uniform(0.01, 0.04)), float(rng.uniform(0, 0.015)), waves
        )
        scale, offset = float(rng.uniform(0.92, 1.08)), float(rng.uniform(-0.05, 0.05)) * grey_scale
        return faults if first else cls(faults.noise, faults.rings, faults.drift, waves, scale, offset)


class Detector:
    """Turns attenuation into the grey values of one field of view, slice by slice.

    Args:
        shape: (Z, Y, X) of the field.
        faults: of the field; None: noise of 0.1 alone, and no circle.
        grey: grey value of air, and from there to the polymer, in the first field's scale.
        seed: of noise and rings; each slice has its own, so that slabs of any height come out alike.
    """

    def __init__(
        self, shape: Shape, faults: FieldFaults | None, grey: tuple[float, float], seed: tuple[int, ...]
    ) -> None:
        self._shape, self._faults, self._grey, self._seed = shape, faults, grey, seed
        y, x = (np.arange(n, dtype=np.float32) - np.float32((n - 1) / 2) for n in shape[1:])
        self._radius = np.hypot(y[:, None], x)
        self._inside = self._radius < circle_radius(shape)

    def detect(self, z: int, attenuation: Floats) -> NDArray[np.uint16]:
        """Grey values (Y, X) of a slice of attenuation relative to the polymer's, 0 in air."""
        faults = self._faults or FieldFaults(0.1, 0.0, 0.0, (0.0, 0.0))
        cycles, start = faults.waves
        drift = faults.drift * np.sin(2 * np.pi * (cycles * z / self._shape[0] + start))
        value = np.float32(1 + drift) * attenuation + np.float32(faults.noise) * self._noise(z)
        if faults.rings:
            value += np.float32(faults.rings) * self._rings(z)
        air, scale = self._grey
        grey = (np.float32(air - faults.offset) + np.float32(scale) * value) / np.float32(faults.scale)
        found = np.clip(np.rint(grey), 0, 65535).astype(np.uint16)
        if self._faults is not None:
            found[~self._inside] = OUTSIDE
        return found

    def _noise(self, z: int) -> Floats:
        """(Y, X), of standard deviation 1."""
        found = np.random.default_rng((*self._seed, 0, z)).standard_normal(self._shape[1:], dtype=np.float32)
        for axis in (0, 1):
            found = ndimage.convolve1d(found, np.array([NEIGHBOUR, 1, NEIGHBOUR], np.float32), axis)
        return found / np.float32(1 + 2 * NEIGHBOUR**2)

    def _rings(self, z: int) -> Floats:
        """(Y, X): circles around the middle that change slowly along z and are weaker farther out."""
        knot, share = divmod(z, KNOT)
        blend = np.sqrt([1 - share / KNOT, share / KNOT])
        number = int(np.ceil(self._radius.max())) + 2
        ends = [np.random.default_rng((*self._seed, 1, knot + step)).standard_normal(number) for step in (0, 1)]
        profile = blend[0] * ends[0] + blend[1] * ends[1]
        profile *= np.minimum(np.sqrt(40 / (np.arange(number) + 10)), 1.5)
        low = self._radius.astype(int)
        share_up = self._radius - low
        found: Floats = (profile[low] + share_up * (profile[low + 1] - profile[low])).astype(np.float32)
        return found

"""What the phases of a synthetic cell absorb: the stack that is scanned, before any noise."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from custom.phantom import layers as phase
from custom.phantom.layers import correlated_noise
from custom.phantom.scan import with_fringe


@dataclass(frozen=True)
class GreyParameters:
    """What differs from cell to cell in grey value; attenuation is relative to the polymer's unless a unit is named."""

    polymer: float  # attenuation per voxel
    lithium: float  # of electrodes, dendrites and redeposited lithium alike: less than the polymer with its salt
    pores: float  # mean share of polymer in redeposited lithium, in pores below the resolution
    blur: float  # standard deviation of the scan's point spread, voxels
    offset: float  # grey value of no attenuation
    scale: float  # grey values between no attenuation and the polymer's

    @classmethod
    def draw(cls, rng: np.random.Generator) -> "GreyParameters":
        return cls(
            polymer=float(rng.uniform(0.0034, 0.0046)),
            lithium=float(rng.uniform(0.30, 0.42)),
            pores=float(rng.uniform(0.08, 0.2)),
            blur=float(rng.uniform(0.5, 0.7)),
            offset=float(rng.uniform(4000, 14000)),
            scale=float(rng.uniform(15000, 30000)),
        )

    def attenuation(self) -> NDArray[np.float32]:
        """Of the seven phases; a pit, a cavity in lithium, absorbs little less than lithium and shows by its fringe."""
        li = self.lithium
        return self.polymer * np.array([0.80, li, 1.00, 0.8 * li, li, li, 2.40], np.float32)


DENSITY = np.array([0.90, 0.53, 1.20, 0.00, 0.53, 0.53, 2.60], np.float32)  # g/cm3 of the seven phases: edge fringe


def attenuation_of(
    phases: NDArray[np.uint8], grey: GreyParameters, fringe: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Attenuation per voxel (Z, Y, X) inside the scanned circle, blurred to the resolution, with its edge fringe.

    Redeposited lithium is mossy: pores below the resolution lift its grey, unevenly, towards the polymer's.
    """
    pores = grey.pores * np.clip(1 + 0.6 * correlated_noise(rng, phases.shape, 2.0), 0, 2)
    pores[phases != phase.REDEPOSITED] = 0

    def blurred(values: NDArray[np.float32]) -> NDArray[np.float32]:
        mixed = values[phases] + pores * (values[phase.POLYMER] - values[phase.REDEPOSITED])
        return ndimage.gaussian_filter(mixed, grey.blur, mode="nearest")

    stack = with_fringe(blurred(grey.attenuation()), blurred(DENSITY), fringe)
    return stack * scanned()


def scanned() -> NDArray[np.bool_]:
    """The circle that parallel beams reconstruct, bool (Y, X) on the grid."""
    y, x = (np.arange(n) - n // 2 for n in phase.GRID)
    inside: NDArray[np.bool_] = y[:, None] ** 2 + x**2 < (phase.GRID[1] // 2 - 1) ** 2
    return inside

"""Stacks made worse in ways that scans differ in, five strengths of each, for what should notice it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import ndimage

Grey = np.ndarray[Any, np.dtype[np.float32]]
STRENGTHS = (1, 2, 3, 4, 5)


def spread(grey: Grey) -> float:
    """What strengths are shares of: from the 0.5 to the 99.5 percentile."""
    low, high = np.percentile(grey, (0.5, 99.5))
    return float(high - low)


def gamma(grey: Grey, strength: int, rng: np.random.Generator) -> Grey:
    """A bent grey scale: to the power of 1.2, 1.44, ... or its inverse by turns, between the extremes."""
    low, high = float(grey.min()), float(grey.max())
    power = 1.2**strength if strength % 2 else 1.2**-strength
    return low + (high - low) * ((grey - low) / (high - low)) ** np.float32(power)


def noise(grey: Grey, strength: int, rng: np.random.Generator) -> Grey:
    """White noise, its standard deviation 4, 8, ... 20 % of the spread."""
    return grey + np.float32(0.04 * strength * spread(grey)) * rng.standard_normal(grey.shape, np.float32)


def blur(grey: Grey, strength: int, rng: np.random.Generator) -> Grey:
    """Gaussian, sigma 0.5, 1, ... 2.5 voxels."""
    return ndimage.gaussian_filter(grey, 0.5 * strength)


def contrast(grey: Grey, strength: int, rng: np.random.Generator) -> Grey:
    """Too little of it for 8 bits, and the middle alone: grey values in 64, 32, ... 4 steps."""
    low, step = float(grey.min()), float(np.ptp(grey)) / 2 ** (7 - strength)
    return low + np.float32(step) * np.floor((grey - low) / np.float32(step))


def inversion(grey: Grey, strength: int, rng: np.random.Generator) -> Grey:
    """Mixed with its negative: 20, 40, ... 100 % of the way there."""
    turned = float(grey.min()) + float(grey.max()) - grey
    return grey + np.float32(0.2 * strength) * (turned - grey)


def rings(grey: Grey, strength: int, rng: np.random.Generator) -> Grey:
    """Around the middle, a voxel wide, their standard deviation 2, 4, ... 10 % of the spread."""
    y, x = np.indices(grey.shape[1:])
    radius = np.hypot(y - grey.shape[1] / 2, x - grey.shape[2] / 2).astype(int)
    return grey + np.float32(0.02 * strength * spread(grey)) * rng.standard_normal(radius.max() + 1, np.float32)[radius]


def shading(grey: Grey, strength: int, rng: np.random.Generator) -> Grey:
    """A bias field: a slope along x and a bow along y, 20, 40, ... 100 % of the spread."""
    y, x = (np.linspace(-1, 1, n, dtype=np.float32) for n in grey.shape[1:])
    return grey + np.float32(0.1 * strength * spread(grey)) * (x + (y**2)[:, None] * 2 - 1)


def zoom(grey: Grey, strength: int, rng: np.random.Generator) -> Grey:
    """Resampled in the slices to 88, 64 and 40 % or, by turns, 160 and 220 % of their size."""
    return ndimage.zoom(grey, (1, *factors(strength)), order=1)


def factors(strength: int) -> tuple[float, float]:
    """Of `zoom`, along y and x."""
    return (1 - 0.12 * strength,) * 2 if strength % 2 else (1 + 0.3 * strength,) * 2


CORRUPTIONS: dict[str, Callable[[Grey, int, np.random.Generator], Grey]] = {
    one.__name__: one for one in (gamma, noise, blur, contrast, inversion, rings, shading, zoom)
}


def corrupted(
    grey: np.ndarray, label: np.ndarray, name: str, strength: int, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """The stack (Z, Y, X), uint16, and its label after a corruption.

    Args:
        name: of `CORRUPTIONS`.
        strength: of `STRENGTHS`.
    """
    made = CORRUPTIONS[name](grey.astype(np.float32), strength, np.random.default_rng([seed, strength]))
    low, high = float(made.min()), float(made.max())
    # brought into the type where it does not fit; the grey window takes gain and offset away again
    fits = 0 <= low and high <= 65535
    stored = made if fits else (made - low) * (65535 / (high - low))
    moved = ndimage.zoom(label, (1, *factors(strength)), order=0) if name == "zoom" else label
    return np.rint(stored).astype(np.uint16), moved

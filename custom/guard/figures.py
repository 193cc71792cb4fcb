"""What is measured of a slice: how noisy, sharp and structured it is in the grey window, and its grey histogram."""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

BINS = 32  # of the histogram, between the window's ends
LEVELS = 5  # blocks of 2, 4, 8, 16 and 32 voxels
HISTOGRAM, VOXEL_SIZE = "histogram", "voxel_size"
_FEWEST = 4  # blocks that a figure is made of
_LEAST = 1e-4  # of the window: below the steps of 8 bits nothing is told apart


@dataclass(frozen=True)
class Figure:
    """A figure of a stack, the mean of its slices' ones.

    Attributes:
        words: what it is, in a sentence.
        unit: in which it is told, after a space, if any.
        scale: from the figure to the unit.
        ratio: whether ranges are ratios, around the geometric mean; else differences.
        finest: what two scans may differ by where a training knows too few to tell: the share of a ratio, else a difference.
    """

    words: str
    unit: str = ""
    scale: float = 1.0
    ratio: bool = True
    finest: float = 0.05


# the order of the report; finest of a share: the window itself leaves 0.5 % of the voxels beyond either end
FIGURES = MappingProxyType(
    {
        HISTOGRAM: Figure(
            "the distance of its grey histogram from the nearest of the training", " % of the window", 100, False, 0.01
        ),
        "noise": Figure("its noise", " % of the window", 100),
        "sharpness": Figure("its sharpness, the noise of single voxels over that of 2 x 2"),
        "sharpness_2": Figure("its sharpness, the noise of 2 x 2 voxels over that of 4 x 4"),
        "structure_8": Figure("its contrast over 8 voxels", " % of the window", 100),
        "structure_16": Figure("its contrast over 16 voxels", " % of the window", 100),
        "structure_32": Figure("its contrast over 32 voxels", " % of the window", 100),
        "saturated": Figure("its share of voxels with the lowest or highest grey value", " %", 100, False, 0.01),
        VOXEL_SIZE: Figure("its voxel size", " um", finest=0.1),
    }
)


def slice_figures(raw: np.ndarray, window: tuple[float, float], inside: np.ndarray | None = None) -> dict[str, float]:
    """Figures of a slice by the names of `FIGURES`, without histogram and voxel size; not-a-number where it is too small.

    The variation within blocks of 2 x 2, of these blocks' means within 4 x 4, and so on, is that of a Haar wavelet. Its
    median over the blocks is the noise (Donoho and Johnstone, Biometrika 81:425, 1994), its root mean square what there is
    of structures of that size.

    Args:
        raw: (Y, X) grey values.
        window: grey values that become 0 and 1.
        inside: bool, where the slice is material; None: everywhere.
    """
    level, valid = scaled(raw, window), np.ones(raw.shape, bool) if inside is None else inside
    middle, root = [math.nan] * LEVELS, [math.nan] * LEVELS
    for number in range(LEVELS):
        if min(level.shape) < 2:
            break
        level, variance, valid = _halved(level, valid)
        within = variance if inside is None else variance[valid]
        if within.size < _FEWEST:
            break
        middle[number], root[number] = math.sqrt(float(np.median(within))), math.sqrt(float(within.mean()))
    # of white noise the median of 2 x 2 is 0.77 of its standard deviation: chi-squared of 3 has 2.366, over 4
    noise = [max(value / math.sqrt(2.366 / 4), _LEAST) for value in middle]
    return {
        "noise": noise[0],
        "sharpness": noise[0] / noise[1],
        "sharpness_2": noise[1] / noise[2],
        **{f"structure_{2 << number}": max(root[number], _LEAST) for number in range(2, LEVELS)},
        "saturated": _at_the_ends(raw if inside is None else raw[inside]),
    }


def histogram(raw: np.ndarray, window: tuple[float, float], inside: np.ndarray | None = None) -> np.ndarray:
    """(`BINS`,) float64, the shares of the voxels between the window's ends; what lies beyond counts as the ends."""
    values = scaled(raw if inside is None else raw[inside], window)
    counts = np.bincount((values.ravel() * np.float32(BINS)).astype(np.intp).clip(0, BINS - 1), minlength=BINS)
    return np.asarray(counts / max(counts.sum(), 1))


def apart(one: np.ndarray, other: np.ndarray) -> float:
    """How far the grey values of one histogram have to be moved on average to make the other, in [0, 1] of the window.

    Wasserstein's distance, in one dimension the area between the distribution functions; as
    `scipy.stats.wasserstein_distance`.
    """
    return float(np.abs(np.cumsum(one - other)).sum() / BINS)


def scaled(raw: np.ndarray, window: tuple[float, float]) -> np.ndarray:
    """float32 in [0, 1], what is not finite as 0: what a network sees."""
    lower, upper = window
    values = (raw.astype(np.float32) - np.float32(lower)) / np.float32(upper - lower)
    if raw.dtype.kind == "f":
        values[~np.isfinite(values)] = 0.0
    return np.clip(values, 0.0, 1.0, out=values)


def _halved(level: np.ndarray, valid: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of blocks of 2 x 2: their means, the variances within them, and whether all of a block is valid."""
    y, x = (length // 2 * 2 for length in level.shape)
    parts = [level[a:y:2, b:x:2] for a in (0, 1) for b in (0, 1)]
    both = [valid[a:y:2, b:x:2] for a in (0, 1) for b in (0, 1)]
    mean = (parts[0] + parts[1] + parts[2] + parts[3]) / 4
    variance = sum(((part - mean) ** 2 for part in parts), np.zeros_like(mean)) / 4
    return mean, variance, both[0] & both[1] & both[2] & both[3]


def _at_the_ends(values: np.ndarray) -> float:
    """The share of the lowest and of the highest value, which a detector or a converter cut others off at."""
    values = values[np.isfinite(values)] if values.dtype.kind == "f" else values
    if not values.size:
        return math.nan
    least, most = values.min(), values.max()
    return float(np.count_nonzero((values == least) | (values == most)) / values.size)

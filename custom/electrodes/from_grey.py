"""The electrodes of a grey stack: where it steps from one grey value to that between the electrodes, and back."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from custom.electrodes.electrodes import Electrodes
from custom.electrodes.fitting import fit_surface
from custom.electrodes.surface import Surface
from custom.electrodes.thinned import Thinned, block_places, in_blocks

_BLOCK = 6  # columns that are averaged: noise falls to a sixth
_BLUR = 1.5  # voxels along the axis
_SMOOTH = 0.6  # blocks
_NEAR = 0.12  # of the thickness of the stack, within which a column's step lies beside the one of the mean
_MOST = 0.75  # of the columns have a step of an electrode; steps of single bodies have a third of that
_CLEAR = 4.0  # how many times the spread of all steps the two found ones are steeper


def electrodes_of_grey(grey: Thinned, axis: int) -> Electrodes | None:
    """The surfaces of two layers of one grey value with another between them; None where no two steps stand out.

    A step lies where the grey value is halfway between those on either side of it; whether electrodes are the darker ones, as
    lithium is, or brighter is found.

    Args:
        grey: columns along `axis`.
        axis: through the thickness, 0 is z.
    """
    block = max(1, min(_BLOCK, *(length // 3 for length in (grey.columns.shape[0], grey.columns.shape[2]))))
    columns = in_blocks(np.nan_to_num(grey.columns.astype(np.float32)), block).mean(axis=(1, 4))
    columns = ndimage.gaussian_filter1d(columns, _BLUR, axis=1)
    steps = _steps(np.median(columns, axis=(0, 2)))
    if steps is None:
        return None
    places = block_places(grey.places[0], block), block_places(grey.places[1], block)
    reach = max(4, round(_NEAR * columns.shape[1]))
    found: list[Surface] = []
    for at in steps:
        heights = _crossings(columns, at, reach)
        if np.isfinite(heights).mean() < _MOST:
            return None
        found.append(fit_surface(heights, places, _SMOOTH))
    darker = columns[:, max(steps[0] - reach, 0)].mean() < columns[:, steps[0] + reach].mean()
    return Electrodes(
        axis, (found[0], found[1]), f"steps of the grey value, electrodes the {'darker' if darker else 'brighter'} side"
    )


def _steps(profile: np.ndarray) -> tuple[int, int] | None:
    """Where the mean column steps most clearly one way in its lower part, and back in the upper."""
    slope = np.gradient(profile)
    usual = np.median(np.abs(slope)) * 1.4826 + 1e-12
    best: tuple[float, int, int] | None = None
    for sign in (1, -1):
        low, high = _peaks(sign * slope), _peaks(-sign * slope)
        for first in low:
            for second in high[high > first + 4]:
                # both have to stand out: the weaker counts; of alike ones those that lie further apart
                strength = min(sign * slope[first], -sign * slope[second])
                if strength > _CLEAR * usual and (best is None or strength > 1.05 * best[0]):
                    best = strength, int(first), int(second)
    return None if best is None else best[1:]


def _peaks(slope: np.ndarray) -> np.ndarray:
    inner = np.flatnonzero((slope[1:-1] >= slope[:-2]) & (slope[1:-1] > slope[2:]) & (slope[1:-1] > 0)) + 1
    return np.asarray(inner[np.argsort(-slope[inner])[:8]])


def _crossings(columns: np.ndarray, at: int, reach: int) -> np.ndarray:
    """Height at which each column is halfway between the grey values before and behind the step: (n, m), NaN where nowhere."""
    start, stop = max(at - reach, 0), min(at + reach + 1, columns.shape[1])
    part = columns[:, start:stop]
    before, behind = (
        np.median(side) for side in (part[:, : max(1, (at - start) // 2)], part[:, -max(1, (stop - at) // 2) :])
    )
    above = (part - (before + behind) / 2) * np.sign(behind - before)
    crosses = (above[:, :-1] < 0) & (above[:, 1:] >= 0)
    # of several the one nearest to the mean's
    far = np.where(crosses, np.abs(np.arange(crosses.shape[1])[:, None] + start - at), np.inf)
    where = far.argmin(axis=1)
    low, high = (np.take_along_axis(above, (where + k)[:, None], 1)[:, 0] for k in (0, 1))
    share = np.divide(-low, high - low, out=np.zeros_like(low), where=high > low)
    # a voxel's value is that of its middle
    return np.where(np.isfinite(far.min(axis=1)), start + where + share + 0.5, np.nan)

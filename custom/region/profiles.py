"""Grey values along lines that enter a cell from outside, and where they have an edge, to a share of a voxel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Floats = NDArray[np.float64]

STEP = 0.5  # voxels between the values of a line
_SIGMA = 0.8  # voxels: of the Gaussian whose derivative finds edges; films may be three voxels thick
_CLEAR = 0.2  # of the outermost edge's height: what counts as an edge further in
_THIN = 0.15  # of the cell's thickness: what a film has at most
_NEXT = 1.5  # voxels between two edges at least


@dataclass(frozen=True)
class Profiles:
    """Lines into a cell from one side.

    Attributes:
        values: (lines, k) grey values, `STEP` voxels apart, from outside in; NaN where unknown.
        start: (lines,) the coordinate that a line runs along, at its first value.
        inward: 1 or -1: how that coordinate changes along the lines.
        first, second: (lines,) the two other coordinates.
    """

    values: Floats
    start: Floats
    inward: int
    first: Floats
    second: Floats

    def slopes(self) -> Floats:
        """Of the lines, per voxel."""
        return slopes(self.values)

    def at(self, depth: Floats) -> Floats:
        """The coordinate at depths (lines,) along the lines, in voxels."""
        found: Floats = self.start + self.inward * depth
        return found


def slopes(values: Floats) -> Floats:
    """Slopes of lines (lines, k), per voxel; 0 where a value is unknown, or beyond the ends."""
    known = np.isfinite(values)
    filled = np.where(known, values, 0)
    found = ndimage.gaussian_filter1d(filled, _SIGMA / STEP, axis=-1, order=1, mode="nearest") / STEP
    reach = int(4 * _SIGMA / STEP + 0.5)
    near = ndimage.minimum_filter1d(known, 2 * reach + 1, axis=-1, mode="nearest")
    return np.where(near, found, 0)


def edges(slope: Floats, around: Floats, window: float, sign: int) -> tuple[Floats, Floats]:
    """Where lines rise (sign 1) or fall (-1) most steeply.

    Args:
        slope: (lines, k) as `slopes` gives them.
        around: (lines,) depths in voxels.
        window: voxels on either side of these.
        sign: of the edge.

    Returns:
        Depths in voxels, NaN where there is none; and how steep it is there.
    """
    k = slope.shape[1]
    depth = STEP * np.arange(k)
    seen = np.where(np.abs(depth - around[:, None]) <= window, sign * slope, -np.inf)
    best = np.clip(seen.argmax(axis=1), 1, k - 2)
    rows = np.arange(len(slope))
    below, here, above = (sign * slope[rows, best + aside] for aside in (-1, 0, 1))
    bow = below - 2 * here + above
    peak = (bow < 0) & (here >= below) & (here >= above) & np.isfinite(seen[rows, best]) & (here > 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        aside = np.where(peak, (below - above) / (2 * bow), np.nan)
    return STEP * (best + aside), np.where(peak, here, 0)


@dataclass(frozen=True)
class Layers:
    """What lies under the outermost edge of a cell, as depths below it in voxels.

    Attributes:
        face: of the electrode; 0 where no film covers it.
        sign: of the edge there, going in.
        inner: of the edge after that, where the electrode ends; None where none was seen.
    """

    face: float
    sign: int
    inner: float | None


def layers_below(profile: Floats, outer: float, sign: int, thickness: float) -> Layers:
    """The layers that a mean line shows.

    A film shows by an edge back (film bright, lithium dark) within a share of the cell's thickness; without one the
    outermost edge is the electrode's.

    Args:
        profile: (k,) of lines that were aligned by their outermost edge.
        outer: depth of that edge.
        sign: of it.
        thickness: of the whole cell, voxels.
    """
    slope = slopes(profile[None])[0]
    place = [index for index in range(1, len(slope) - 1) if _is_peak(slope, index)]
    height = max(abs(slope[round(outer / STEP)]), 1e-12)
    found = [
        (STEP * index - outer, int(np.sign(slope[index])))
        for index in place
        if STEP * index > outer + _NEXT and abs(slope[index]) > _CLEAR * height
    ]
    if found and found[0][1] == -sign and found[0][0] < _THIN * thickness:
        return Layers(found[0][0], found[0][1], found[1][0] if len(found) > 1 else None)
    return Layers(0.0, sign, found[0][0] if found else None)


def _is_peak(slope: Floats, index: int) -> bool:
    here = abs(slope[index])
    return bool(here >= abs(slope[index - 1]) and here > abs(slope[index + 1]))


def aligned(profiles: Profiles, outer: Floats, margin: float) -> Floats:
    """The median of lines that are shifted so that a depth each, `outer`, lies at `margin`; NaN where few are known."""
    depth = STEP * np.arange(profiles.values.shape[1])
    moved = np.full_like(profiles.values, np.nan)
    for line, (values, at) in enumerate(zip(profiles.values, outer, strict=True)):
        known = np.isfinite(values)
        if known.sum() > 1 and np.isfinite(at):
            moved[line] = np.interp(depth - margin + at, depth[known], values[known], left=np.nan, right=np.nan)
    many = np.isfinite(moved).sum(axis=0) >= max(len(moved) // 3, 1)
    found = np.full(moved.shape[1], np.nan)
    found[many] = np.nanmedian(moved[:, many], axis=0)
    return found

"""Whether a scan that was registered is of the same place: how much of it both see, and how well they agree there."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy import ndimage

from custom.series.move import Move
from custom.series.registering import band
from custom.series.view import View

_SIGMA = 2.0  # voxels of the copies
_ASIDE = 8.0  # voxels of the copies: beyond what a body of lithium, or grain, looks like itself
_THIN = 2


@dataclass(frozen=True)
class Agreement:
    """How a registration may be judged.

    Attributes:
        overlap: share of the first scan that the other one sees too.
        agreement: their correlation there by how much it is higher than 8 voxels aside, in the one of 6 directions where that is
            highest: layers look the same wherever they are shifted to along themselves. None: there is nothing to compare.
    """

    overlap: float
    agreement: float | None


def agreement(fixed: View, moving: View, move: Move) -> Agreement:
    """Compare two copies at a move."""
    one, other = band(fixed, _SIGMA), band(moving, _SIGMA)
    grid = np.stack(np.meshgrid(*(np.arange(0, n, _THIN) for n in one.shape), indexing="ij"), axis=-1).reshape(-1, 3)
    places, values = grid * fixed.step + fixed.first, one[tuple(grid.T)]
    kept = fixed.lithium[tuple(grid.T)] >= 0.5

    def correlation(aside: np.ndarray) -> tuple[float, float]:
        at = ((move(places) + aside - moving.first) / moving.step).T
        seen = ((at >= -0.5) & (at <= np.array(other.shape)[:, None] - 0.5)).all(axis=0)
        compared = seen
        if fixed.has_grey:  # what changed is no sign that it is another place
            theirs = ndimage.map_coordinates(moving.lithium, at, order=0, mode="nearest") >= 0.5
            compared = seen & (theirs == kept)
        a, b = values[compared], ndimage.map_coordinates(other, at[:, compared], order=1, mode="nearest")
        alike = np.corrcoef(a, b)[0, 1] if len(a) > 1 and a.std() > 0 and b.std() > 0 else np.nan
        return float(alike), float(seen.mean())

    here, overlap = correlation(np.zeros(3))
    asides = [side * _ASIDE * fixed.step * np.eye(3)[axis] for axis, side in product(range(3), (1, -1))]
    around = np.array([correlation(aside)[0] for aside in asides])
    if not np.isfinite(here) or not np.isfinite(around).any():
        return Agreement(overlap, None)
    return Agreement(overlap, here - float(np.nanmax(around)))

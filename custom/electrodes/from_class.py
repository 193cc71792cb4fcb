"""The electrodes of a mask that has a class of their own."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np

from custom.electrodes.electrodes import Electrodes
from custom.electrodes.fitting import fit_surface, surface_through
from custom.electrodes.surface import Surface
from custom.electrodes.thinned import Thinned, block_places, in_blocks

_BLOCK = 4  # columns whose median is near the surface although voxels are taken wrongly
_SMOOTH = 0.6  # blocks
# voxels from those medians within which a column counts itself: waves of a dozen voxels stay, specks do not
_NEAR = 3.0
_SHARP = 1.0  # columns: a rounded height is 0.29 voxels off, a dozen of them together 0.1
_FEW = 0.1  # of the columns; electrolyte or a separator with a class of its own lies before more
_LUMP = 0.25  # of the most that any layer holds, from which one belongs to an electrode


def electrodes_of_class(
    held: Thinned, axis: int, electrode: Sequence[int] = (1,), open_to: Sequence[int] = (0,)
) -> Electrodes | None:
    """The surfaces that two layers of a class face each other with; None where there are not two.

    Args:
        held: columns of classes along `axis`.
        axis: through the thickness, 0 is z.
        electrode: the values that are electrode, hollows in it among them.
        open_to: values next to which a voxel of electrode is at its surface. Any other, in less than a tenth of the columns, is
            taken for a thing sunk into the electrode: the surface goes on over it.
    """
    of_electrode = np.isin(held.columns, electrode)
    between = _between(of_electrode.mean(axis=(0, 2)))
    if between is None:
        return None
    middle = sum(between) // 2
    low, high = of_electrode[:, :middle], of_electrode[:, middle:]
    # the last voxel of one, the first of the other; argmax finds the first that is True
    last = np.where(low.any(axis=1), low.shape[1] - low[:, ::-1].argmax(axis=1), np.nan)
    first = np.where(high.any(axis=1), middle + high.argmax(axis=1), np.nan)
    for heights, beyond in ((last, last), (first, first - 1)):
        next_to = _values_at(held.columns, beyond)
        sunk = [value for value in np.unique(next_to) if value not in open_to and (next_to == value).mean() < _FEW]
        heights[np.isin(next_to, sunk)] = np.nan
    found = tuple(_surface(heights, held.places) for heights in (last, first))
    return Electrodes(axis, (found[0], found[1]), "the class electrode of the mask")


def _between(profile: np.ndarray) -> tuple[int, int] | None:
    """First and last layer of the longest stretch without an electrode that has one on either side."""
    lumps = np.flatnonzero(profile > _LUMP * profile.max(initial=0))
    if lumps.size < 2 or (gaps := np.diff(lumps)).max() < 2:
        return None
    widest = int(gaps.argmax())
    return int(lumps[widest]) + 1, int(lumps[widest + 1]) - 1


def _surface(heights: np.ndarray, places: tuple[np.ndarray, np.ndarray]) -> Surface:
    block = max(1, min(_BLOCK, *(length // 2 for length in heights.shape)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a block without any height has none
        median = np.nanmedian(in_blocks(heights, block), axis=(1, 3))
    rough = fit_surface(median, (block_places(places[0], block), block_places(places[1], block)), _SMOOTH)
    nearby = rough.heights(*places)
    # where a column tells nothing, the medians around it do
    return surface_through(np.where(np.abs(heights - nearby) < _NEAR, heights, nearby), places, _SHARP)


def _values_at(columns: np.ndarray, places: np.ndarray) -> np.ndarray:
    """(n, m) of (n, T, m): the value of each column at a place, 0 beyond its ends."""
    inside = (places >= 0) & (places < columns.shape[1])  # not where it is unknown
    at = np.where(inside, places, 0).astype(int)
    return np.where(inside, np.take_along_axis(columns, at[:, None], axis=1)[:, 0], 0)

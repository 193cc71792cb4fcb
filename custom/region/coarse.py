"""The coarse copies of all fields of view, joined into one volume in the lowest field's grey scale."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from custom.region.fields import Field, joined_shape, weights
from custom.region.part import Volume


def joined_coarse(copies: Sequence[Volume], fields: Sequence[Field], factor: int) -> Volume:
    """(Z, Y, X) // factor of the raw grid, NaN where no field has a reconstruction.

    Args:
        copies: of the fields; voxel i of each has its centre at factor * i + (factor - 1) / 2 of its field.
        fields: where they lie.
        factor: how much coarser they are.
    """
    shape = tuple(length // factor for length in joined_shape(fields))
    aside = (factor - 1) / 2
    share = weights(factor * np.arange(shape[0]) + aside, fields)
    total, weight = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    for copy, field, counts in zip(copies, fields, share, strict=True):
        there = np.flatnonzero(counts > 0)
        start, stop = there[0], there[-1] + 1
        matrix = field.matrix()
        shift = (matrix[:3, :3] @ np.full(3, aside) + matrix[:3, 3] - aside) / factor
        shift[0] += start
        moved = ndimage.affine_transform(
            copy, matrix[:3, :3], shift, (stop - start, *shape[1:]), order=1, mode="constant", cval=np.nan
        )
        moved = _edges_kept(moved, copy, shift[0])
        known = np.isfinite(moved)
        factors = counts[start:stop, None, None].astype(np.float32) * known
        total[start:stop] += factors * np.where(known, field.scale * moved + field.offset, 0)
        weight[start:stop] += factors
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(weight > 0, total / weight, np.nan).astype(np.float32)


def _edges_kept(moved: Volume, copy: Volume, first: float) -> Volume:
    """With the field's first and last slice where the place lies up to a voxel beyond them."""
    for z in range(len(moved)):
        at = first + z
        if -1 < at < 0 or len(copy) - 1 < at < len(copy):
            moved[z] = copy[0 if at < 0 else -1]
    return moved

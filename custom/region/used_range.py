"""The ends of the grey values that a volume uses, for turning them round."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from custom.region.record import Region
from custom.stack import Stack

_SLICES = 16


def used_range(region: Region, stacks: Sequence[Stack]) -> tuple[float, float]:
    """The least and the largest finite grey value in some slices of every field, in the first one's scale.

    One pair for the whole volume, which its record keeps: any other choice per slab would draw seams.

    Args:
        region: with its fields.
        stacks: in their order.
    """
    ends: list[float] = []
    for field, stack in zip(region.fields, stacks, strict=True):
        picks = np.linspace(0, stack.shape[0] - 1, min(stack.shape[0], _SLICES)).round().astype(int).tolist()
        for z in picks:
            plane = stack.read(z, z + 1)
            finite = plane[np.isfinite(plane)]
            if finite.size:
                ends += [field.scale * float(end) + field.offset for end in (finite.min(), finite.max())]
    lower, upper = (min(ends), max(ends)) if ends else (0.0, 0.0)
    whole = stacks[0].dtype.kind in "iu"
    return (float(round(lower)), float(round(upper))) if whole else (lower, upper)

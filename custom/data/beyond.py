"""Lithium that is labelled outside the reconstruction, where nothing is learned and nothing scored."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from custom.stack import Stack, outside

logger = logging.getLogger("data")


def lithium_beyond(image: Stack, label: Stack, values: Sequence[int], surround: Sequence[float]) -> list[int]:
    """Voxels labelled lithium that lie outside the reconstruction, in each slice.

    Args:
        image, label: of one shape (Z, Y, X).
        values: of the label that stand for lithium.
        surround: of the image (`GreyWindow.surround`).
    """
    found = [0] * label.shape[0]
    for z in range(label.shape[0]) if surround else ():
        lithium = np.isin(label.read(z, z + 1)[0], values)
        region = outside(image.read(z, z + 1)[0], surround) if lithium.any() else None
        found[z] = 0 if region is None else int(np.count_nonzero(lithium & region))
    return found


def tell_lithium_beyond(found: Mapping[Path, Sequence[int]]) -> None:
    """One warning for all labels of a set, of which `lithium_beyond` found these."""
    some = [path for path, counts in found.items() if any(counts)]
    if some:
        logger.warning(
            "%s%s: %d voxels labelled lithium lie outside the reconstruction, where the image has one value all over, and "
            "do not count; check that label and image belong together.",
            some[0],
            f" (and {len(some) - 1} more in this set likewise)" if len(some) > 1 else "",
            sum(sum(found[path]) for path in some),
        )

"""What is known of an image's labelled slices once they have been read, in one reading."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from custom.data.digest import digest
from custom.stack import Stack, outside

logger = logging.getLogger("data")


@dataclass
class Seen:
    """Of slices, by z.

    Attributes:
        digests: what they hold, see `digest`.
        beyond: voxels labelled lithium that lie outside the reconstruction, where nothing is learned and nothing scored.
        nonfinite: values within the reconstruction that are NaN or infinite, in all.
    """

    digests: dict[int, str] = field(default_factory=dict)
    beyond: dict[int, int] = field(default_factory=dict)
    nonfinite: int = 0


def look_at(
    image: Stack, label: Stack, lithium: Mapping[int, int], values: Sequence[int], surround: Sequence[float]
) -> Seen:
    """Read the slices of an image that have a labelled voxel.

    Args:
        image, label: of one shape (Z, Y, X).
        lithium: for each of the slices how many voxels are labelled lithium.
        values: of the label that stand for lithium.
        surround: of the image (`GreyWindow.surround`).
    """
    seen = Seen()
    for z, count in lithium.items():
        plane = image.read(z, z + 1)[0]
        region = outside(plane, surround)
        seen.digests[z] = digest(plane)
        seen.beyond[z] = 0
        if count and region is not None:
            seen.beyond[z] = int(np.count_nonzero(np.isin(label.read(z, z + 1)[0], values) & region))
        if plane.dtype.kind == "f":
            inside = plane if region is None else plane[~region]
            seen.nonfinite += int(np.count_nonzero(~np.isfinite(inside)))
    if seen.nonfinite:
        logger.warning(
            "%s: %d grey values are NaN or infinite and are read as the grey window's lower end; check the "
            "reconstruction if there are many.",
            image.path,
            seen.nonfinite,
        )
    return seen


def tell_lithium_beyond(found: Mapping[Path, int]) -> None:
    """One warning for all labels of a set, of which so many voxels of lithium lie outside the reconstruction."""
    some = [path for path, count in found.items() if count]
    if some:
        logger.warning(
            "%s%s: %d voxels labelled lithium lie outside the reconstruction, where the image has one value all over, and "
            "do not count; check that label and image belong together.",
            some[0],
            f" (and {len(some) - 1} more in this set likewise)" if len(some) > 1 else "",
            sum(found[path] for path in some),
        )

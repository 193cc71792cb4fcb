"""What is known of an image's labelled slices once they have been read, in one reading."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from custom.base.classes import UNLABELLED
from custom.data.digest import digest
from custom.stack import Stack, outside

logger = logging.getLogger("data")


@dataclass
class Seen:
    """Of slices, by z.

    Attributes:
        digests: what they hold, see `digest`.
        beyond: for each class the voxels labelled as it that lie outside the reconstruction, where nothing is learned and
            nothing scored.
        nothing: slices in which no labelled voxel lies within the reconstruction.
        nonfinite: values within the reconstruction that are NaN or infinite, in all.
    """

    digests: dict[int, str] = field(default_factory=dict)
    beyond: dict[int, tuple[int, ...]] = field(default_factory=dict)
    nothing: set[int] = field(default_factory=set)
    nonfinite: int = 0


def look_at(
    image: Stack,
    label: Stack,
    labelled: Mapping[int, Sequence[int]],
    values: Sequence[Sequence[int]],
    surround: Sequence[float],
) -> Seen:
    """Read the slices of an image that have a labelled voxel.

    Args:
        image, label: of one shape (Z, Y, X).
        labelled: for each of the slices how many voxels are labelled as each class.
        values: of the label that stand for each class.
        surround: of the image (`GreyWindow.surround`).
    """
    seen = Seen()
    for z, counts in labelled.items():
        plane = image.read(z, z + 1)[0]
        region = outside(plane, surround)
        seen.digests[z] = digest(plane)
        seen.beyond[z] = (0,) * len(values)
        if region is not None:
            labels = label.read(z, z + 1)[0]
            there = np.bincount(labels[region], minlength=256)
            if any(counts):
                seen.beyond[z] = tuple(int(there[list(stand)].sum()) for stand in values)
            unlabelled = () if UNLABELLED in values[0] else (UNLABELLED,)
            if not (~region & ~np.isin(labels, unlabelled)).any():
                seen.nothing.add(z)
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


def tell_beyond(found: Mapping[Path, int], what: str = "lithium") -> None:
    """One warning for all labels of a set, of which so many voxels of lithium, or a class, lie outside the reconstruction."""
    some = [path for path, count in found.items() if count]
    if some:
        logger.warning(
            "%s%s: %d voxels labelled %s lie outside the reconstruction, where the image has one value all over, and "
            "do not count; check that label and image belong together.",
            some[0],
            f" (and {len(some) - 1} more in this set likewise)" if len(some) > 1 else "",
            sum(found[path] for path in some),
            what,
        )

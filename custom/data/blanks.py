"""Slices that are 0 all over because nobody labelled them, where 255 would say so."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from custom.data.meaning import SliceCounts

logger = logging.getLogger("data")

_FEWEST = 3  # slices with lithium, from which on a pattern shows
_BLANKS = 4  # blank slices for each one with lithium: every fifth one is labelled, or fewer


def warn_of_blanks(slices: Sequence[SliceCounts], folder: Path, lithium_255: bool = False) -> None:
    """Warn where lithium shows in lone slices only: dendrites go on from slice to slice, labelling does not.

    Args:
        slices: all of a set, in order.
        folder: of the labels.
        lithium_255: whether 255 stands for lithium.
    """
    lithium = [bool(counts.lithium or (lithium_255 and counts.unlabelled)) for counts in slices]
    blank = [not counts.lithium and not counts.unlabelled for counts in slices]
    rich = [z for z, some in enumerate(lithium) if some]
    lone = all(blank[n] for z in rich for n in (z - 1, z + 1) if 0 <= n < len(slices))
    if len(rich) >= _FEWEST and lone and sum(blank) >= _BLANKS * len(rich):
        logger.warning(
            "%s: %d of %d slices hold lithium, each of them alone between slices that are 0 all over and learned as "
            "background; write %s255 into those that nobody labelled.",
            folder,
            len(rich),
            len(slices),
            "lithium as 1 and " if lithium_255 else "",
        )

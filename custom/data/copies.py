"""Slices that are there twice, under two names: on one side only."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from custom.base.errors import BadInput
from custom.data.sides import Item, Split, place_of
from custom.data.splits_json import SIDES

logger = logging.getLogger("data")


def draw_once(
    items: Sequence[Item], draw: Callable[[Sequence[Item]], dict[str, list[Item]]], folder: str
) -> dict[str, list[Item]]:
    """Deal out slices so that those with the same grey values are on one side.

    Args:
        items: with their digests.
        draw: deals out slices that are all different.
        folder: the data set's, for what is said.
    """
    first: dict[str, Item] = {}
    copies = [item for item in items if item["digest"] and first.setdefault(item["digest"], item) is not item]
    if not copies:
        return draw(items)
    taken = {id(item) for item in copies}
    sides = draw([item for item in items if id(item) not in taken])
    side_of = {item["digest"]: side for side, part in sides.items() for item in part}
    for item in copies:
        sides[side_of[item["digest"]]].append(item)
    original = first[copies[0]["digest"]]
    logger.warning(
        "%s: %d slices hold the same grey values as another one (%s as %s), and are on its side.",
        folder,
        len(copies),
        _words(copies[0]),
        _words(original),
    )
    return sides


def drop_copies(split: Split, folder: str, training: bool = True) -> None:
    """Take out of val what train holds too, and out of test what either holds: learned by heart, it tells nothing.

    Args:
        split: its slices have their digests; changed in place.
        folder: the data set's, for what is said.
        training: whether it is for a training, which needs a validation side.

    Raises:
        BadInput: nothing would be left to validate on.
    """
    before: set[str] = set()
    dropped: list[Item] = []
    for side in SIDES:
        copies = [item for item in split[side] if item["digest"] in before]
        kept = [item for item in split[side] if item["digest"] not in before]
        if training and copies and side == "val" and not kept:
            raise BadInput(
                f"{folder}: all {len(copies)} validation slices ({_words(copies[0])} first) hold the same grey values as "
                "training slices; take one of each two away with its label, or label other slices"
            )
        before.update(item["digest"] for item in kept if item["digest"])
        split[side][:] = kept
        dropped += copies
    if dropped:
        logger.warning(
            "%s: %d slices hold the same grey values as a slice on another side (%s first) and are left out of "
            "validation and test.",
            folder,
            len(dropped),
            _words(dropped[0]),
        )


def _words(item: Item) -> str:
    stem, z = place_of(item)
    return f"{stem}, slice {z}"

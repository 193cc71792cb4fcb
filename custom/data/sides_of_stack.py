"""Which side of a split the slices of a stack belong to, labelled or not."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from custom.base.errors import BadInput
from custom.data.digest import digest
from custom.data.sides import Item, Split
from custom.data.splits_json import LONG, SIDES
from custom.stack import Stack, source

logger = logging.getLogger("data")


class Labelled(NamedTuple):
    """A labelled slice, and its side."""

    side: str
    item: Item


def labelled_in(stack: Stack, split: Split) -> dict[int, Labelled]:
    """The slices of a stack that have the grey values of a labelled one, by their numbers.

    All slices are read for it, once, where the labelled ones have their size: 1 GB takes a second or two.

    Args:
        stack: of any file; a copy of labelled slices in another format or type is known too.
        split: its slices have their digests.
    """
    known = {item["digest"]: Labelled(side, item) for side in SIDES for item in split[side] if item["digest"]}
    images = dict.fromkeys(source(item, "image") for side in SIDES for item in split[side])
    if not any(one.open().shape[1:] == stack.shape[1:] for one in images):
        return {}
    found: dict[int, Labelled] = {}
    turns = tqdm(range(stack.shape[0]), "looking for labelled slices", unit="slice", leave=False, delay=2, disable=None)
    for z in turns:
        if one := known.get(digest(stack.read(z, z + 1)[0])):
            found[z] = one
    return found


def on_training_side(depth: int, known: Mapping[int, Labelled]) -> list[int]:
    """The slices that lie nearer to one of the training side than to any other labelled one; all where none is known.

    Args:
        depth: how many slices there are.
        known: the labelled ones.
    """
    if not known:
        return list(range(depth))
    places = np.arange(depth)
    distances = {
        train: np.min(
            [abs(places - z) for z, one in known.items() if (one.side == "train") is train], axis=0, initial=depth
        )
        for train in (True, False)
    }
    nearer: list[int] = np.flatnonzero(distances[True] < distances[False]).tolist()
    return nearer


def use_of(stack: Stack, known: Mapping[int, Labelled]) -> list[int]:
    """The slices of a stack to learn from without labels: those of the training side that are not labelled themselves.

    Raises:
        BadInput: all that is known of it is of the validation or the test side.
    """
    depth = stack.shape[0]
    near = on_training_side(depth, known)
    if not near:
        z, side = next((z, side) for side in ("test", "val") for z, one in known.items() if one.side == side)
        raise BadInput(
            f"--unlabelled {stack.path}: its slice {z} is one of the {LONG[side]} side, whose score would say nothing any more; leave "
            "it away, or give a stack that nothing is scored on"
        )
    if len(near) < depth:
        logger.warning(
            "%s: %d of its %d slices lie nearest to validation or test slices and are left out.",
            stack.path,
            depth - len(near),
            depth,
        )
    new = [z for z in near if z not in known]
    if not new:
        logger.warning(
            "%s: all of its slices that lie on the training side (%d) are labelled and learned from as such, so that it adds nothing; "
            "give stacks that hold further slices.",
            stack.path,
            len(near),
        )
    return new

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
from custom.stack import Source, Stack, source

logger = logging.getLogger("data")


class Labelled(NamedTuple):
    """A labelled slice, and its side."""

    side: str
    item: Item


def labelled_in(stack: Stack, split: Split) -> dict[int, Labelled]:
    """The slices of a stack that have the grey values of a labelled one, by their numbers.

    All slices are read for it, once, where labelled ones have their size. Only of those whose every so many voxels are
    a labelled one's is the digest made, which takes longer than reading.

    Args:
        stack: of any file; a copy of labelled slices in another format or type is known too.
        split: its slices have their digests.
    """
    known: dict[str, Labelled] = {}
    glimpses: set[bytes] = set()
    opened: dict[Source, Stack] = {}
    for one in (Labelled(side, item) for side in SIDES for item in split[side] if item["digest"]):
        image = source(one.item, "image")
        opened = opened if image in opened else {image: image.open()}
        if opened[image].shape[1:] == stack.shape[1:]:
            known[one.item["digest"]] = one
            glimpses.add(_glimpse(opened[image].read(one.item["z"], one.item["z"] + 1)[0]))
    found: dict[int, Labelled] = {}
    places = range(stack.shape[0] if known else 0)
    for z in tqdm(places, "looking for labelled slices", unit="slice", leave=False, delay=2, disable=None):
        plane = stack.read(z, z + 1)[0]
        if _glimpse(plane) in glimpses and (same := known.get(digest(plane))):
            found[z] = same
    return found


def _glimpse(plane: np.ndarray) -> bytes:
    """Some 64 x 64 voxels of a slice (Y, X), alike in every type that holds the values."""
    steps = [max(1, side // 64) for side in plane.shape]
    return (np.nan_to_num(plane[:: steps[0], :: steps[1]].astype(np.float64)) + 0.0).tobytes()  # -0.0 becomes 0.0


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

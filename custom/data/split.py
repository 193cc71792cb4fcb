"""Labelled slices -> train, val and test, never two sides from one block of neighbouring slices."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from custom.base.errors import BadInput
from custom.data.blocks import Block, cut_into_blocks, holds, spread, voxels_of
from custom.data.copies import draw_once, drop_copies
from custom.data.keeping import LONG, keep_sides
from custom.data.known import Known
from custom.data.labelled import labelled_slices
from custom.data.listing import list_pairs
from custom.data.reading import Reading
from custom.data.sides import Item, Split
from custom.data.splits_json import SIDES, find_splits, names_of, read_splits
from custom.stack import Scaling

logger = logging.getLogger("data")

Sides = dict[str, list[Item]]
DRAWS = 200  # among which one that gives every side of every class is found, if some do


class Earlier(Protocol):
    """An earlier training, as `Trained` knows it."""

    @property
    def records(self) -> Sequence[Mapping[str, Any]]: ...
    @property
    def resumed(self) -> bool: ...
    def check_seed(self, seed: int) -> None: ...


def split_dataset(
    dataset_dir: str | os.PathLike[str],
    seed: int = 0,
    scaling: Scaling | None = None,
    reading: Reading | None = None,
    trained: Earlier | None = None,
    new: str = "train",
) -> Split:
    """The items of `labelled_slices` as ``{"train": [...], "val": [...], "test": [...]}``.

    ``dataset_dir/splits.json`` decides where it is present: ``{"train": [stems], "val": [stems], "test": [stems]}``.
    Otherwise contiguous blocks of z, 80/10/10, fixed by the seed. A slice that the records know keeps the side that it
    had then, see `keep_sides`; a copy of a training slice is on no other side.

    Args:
        dataset_dir, reading: as for `labelled_slices`.
        scaling: its ``percentiles`` and ``fixed``, by these names.
        seed: of the blocks.
        trained: what is known of the weights that are evaluated or that a training begins with or goes on from.
        new: the side of slices that the records do not know, in a data set that they know: "train" for a training.

    Raises:
        BadInput: a faulty splits.json, too few slices to split, a training side without lithium, or a training that
            cannot go on with what is there.
    """
    if trained is not None:
        trained.check_seed(seed)
    items = labelled_slices(dataset_dir, reading=reading, **(scaling or {}))
    listing = find_splits(Path(dataset_dir))

    folder, classes = os.fspath(dataset_dir), (reading or Reading()).classes

    def draw(part: Sequence[Item]) -> Sides:
        if listing:
            return split_by_stems(part, listing, (reading or Reading()).label_folder, new == "train")
        return draw_once(part, lambda originals: split_by_blocks(originals, seed, dataset_dir, len(classes)), folder)

    if trained is not None and trained.records:
        split = keep_sides(items, Known(trained.records), draw, listing is not None, new, folder, trained.resumed)
    else:
        split = Split(draw(items), origin="splits.json" if listing else "the seed")
    drop_copies(split, folder, training=new == "train")
    if new == "train" and not split["val"]:
        raise BadInput(
            f"{dataset_dir}: leaves nothing to validate on that the weights which the training begins with do not know; "
            "label further slices and list them under val in splits.json, or leave --weights away"
        )
    if new == "train":
        _check_training(split, classes, folder)
    if len(classes) == 1:
        warn_of_sides_without_lithium(split, dataset_dir)
    else:
        warn_of_sides_without(split, classes, folder)
    return split


def _check_training(split: Mapping[str, Sequence[Item]], classes: Sequence[str], folder: str) -> None:
    """Check that there is something to learn of every class."""
    train, every = split["train"], [item for side in SIDES for item in split[side]]
    if not holds(train):
        what = "lithium" if len(classes) == 1 else f"any of the classes {', '.join(classes)}"
        raise BadInput(
            f"{folder}: none of the {len(train)} training slices holds {what}; list others under train in splits.json"
        )
    for number, name in enumerate(classes if len(classes) > 1 else ()):
        if holds(train, number):
            continue
        elsewhere = sum(bool(voxels_of(item, number)) for item in every)
        cure = (
            f"list one of the {elsewhere} slices of the other sides that hold it under train in splits.json"
            if elsewhere
            else "label some, or leave the class out of --classes"
        )
        raise BadInput(
            f"{folder}: 0 of the {len(train)} training slices, and {elsewhere} of all {len(every)} labelled ones, hold the class "
            f"{name}, so that nothing of it can be learned; {cure}"
        )


def split_by_stems(
    items: Sequence[dict[str, Any]], listing: Path, label_folder: str = "labels", training: bool = True
) -> Sides:
    """Split as `splits.json` says; stems that it does not list are left out."""
    owner = read_splits(listing, names_of(list_pairs(listing.parent, label_folder)), training)
    split = {side: [item for item in items if owner.get(item["stem"]) == side] for side in SIDES}
    for side in SIDES:
        listed = list(owner.values()).count(side)
        if listed and not split[side]:
            raise BadInput(
                f"{listing}: no voxel is labelled (all are 255) in any of the {listed} files that it lists under "
                f"{side!r}; label some of them or list others"
            )
    return split


def split_by_blocks(
    items: Sequence[dict[str, Any]], seed: int, source: str | os.PathLike[str] = "data set", classes: int = 1
) -> Sides:
    """Split into contiguous blocks of z: one tenth for val, one tenth for test, the rest for train.

    The slices are cut into about ten blocks that never cross from one stack into the next; a random draw that the seed
    fixes gives blocks to val and to test. With fewer than ten slices every slice is a block; two slices leave test empty.
    Where lithium is in two slices at least, val holds some; in three, test does too: blocks change sides for it. Of
    several classes, that one of `DRAWS` draws is taken which leaves the fewest of them out of train, then of val and test.
    """
    if len(items) < 2:
        raise BadInput(f"{source}: one labelled slice cannot be split into training and validation; label a second one")
    if classes > 1:
        return _draw_with_classes(cut_into_blocks(items), seed, classes)
    blocks = spread(cut_into_blocks(items), len(SIDES))
    share = max(1, round(len(blocks) / 10))
    drawn = np.random.default_rng(seed).permutation(len(blocks))
    # training needs lithium, so the block that holds most of it is never drawn for another side
    richest = max(range(len(blocks)), key=lambda i: sum(item["lithium"] for item in blocks[i]))
    order = [int(i) for i in drawn if i != richest]
    n_test = share if len(blocks) > 2 else 0
    dealt = {"val": order[:share], "test": order[share : share + n_test], "train": order[share + n_test :]}
    _share_lithium(dealt, {i for i, block in enumerate(blocks) if holds(block)})
    side_of = {i: side for side, numbers in dealt.items() for i in numbers}
    split: Sides = {side: [] for side in SIDES}
    for i, block in enumerate(blocks):
        split[side_of.get(i, "train")] += block
    return split


def _draw_with_classes(blocks: Sequence[Block], seed: int, classes: int) -> Sides:
    for number in range(classes):
        blocks = spread(blocks, len(SIDES), number)
    share, rng = max(1, round(len(blocks) / 10)), np.random.default_rng(seed)
    n_test = share if len(blocks) > 2 else 0
    side = np.repeat(
        [SIDES.index("train"), SIDES.index("val"), SIDES.index("test")], [len(blocks) - share - n_test, share, n_test]
    )
    held = np.array([[holds(block, number) for number in range(classes)] for block in blocks])
    best, least = side, (classes + 1, 2 * classes + 1)
    for _ in range(DRAWS):
        drawn = rng.permutation(side)
        lacks = [classes - int(held[drawn == number].any(axis=0).sum()) for number in range(len(SIDES))]
        missing = lacks[0], lacks[1] + lacks[2] * bool(n_test)
        if missing < least:
            best, least = drawn, missing
        if not any(missing):
            break
    return {
        name: [item for i in np.flatnonzero(best == k).tolist() for item in blocks[i]] for k, name in enumerate(SIDES)
    }


def _share_lithium(dealt: dict[str, list[int]], rich: set[int]) -> None:
    """Exchange the last block of val, or of test, that drew no lithium for the first one of another side that did."""
    for needy, other in (("val", "test"), ("test", "val")):
        if not dealt[needy] or rich.intersection(dealt[needy]):
            continue
        for giver in ("train", other):
            spare = [k for k, number in enumerate(dealt[giver]) if number in rich]
            if len(spare) > (giver == "val"):  # val gives nothing that it needs itself
                dealt[giver][spare[0]], dealt[needy][-1] = dealt[needy][-1], dealt[giver][spare[0]]
                break


def warn_of_sides_without(split: Mapping[str, Sequence[Item]], classes: Sequence[str], source: str) -> None:
    """Say which classes no slice of val, or of test, holds: they score best there wherever nothing of them is found."""
    for side in ("val", "test"):
        lacking = [name for number, name in enumerate(classes) if split[side] and not holds(split[side], number)]
        if lacking:
            logger.warning(
                "%s: none of the %d %s slices holds %s, whose patches score 1 where nothing of it is found, which says nothing "
                "about it; label more slices that show it, or choose other sides in splits.json.",
                source,
                len(split[side]),
                LONG[side],
                " or ".join(lacking),
            )


def warn_of_sides_without_lithium(split: Split, source: str | os.PathLike[str]) -> None:
    """Say which of val and test hold slices but no lithium: such a side scores 1 wherever nothing is found."""
    bare = [side for side in ("val", "test") if split[side] and not holds(split[side])]
    if not bare:
        return
    words = " and ".join(f"the {len(split[side])} {LONG[side]} slices" for side in bare)
    every = [item for side in SIDES for item in split[side]]
    logger.warning(
        "%s: %d of %d labelled slices hold lithium, and none of %s: their patches score 1 where nothing is found, which "
        "says nothing about lithium; label more slices that show lithium, or choose other sides in splits.json.",
        source,
        sum(bool(item["lithium"]) for item in every),
        len(every),
        words,
    )

"""Labelled slices -> train, val and test, never two sides from one block of neighbouring slices."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from custom.base.errors import BadInput
from custom.data.blocks import holds, voxels_of
from custom.data.copies import draw_once, drop_copies
from custom.data.dealing import Sides, split_by_blocks
from custom.data.hold_out import BLOCKS, SCAN, split_by_scans
from custom.data.json_beside import names_of
from custom.data.keeping import keep_sides
from custom.data.known import Known
from custom.data.labelled import labelled_slices
from custom.data.listing import list_pairs
from custom.data.reading import Reading
from custom.data.scans_json import read_scans
from custom.data.sides import Item, Split
from custom.data.splits_json import LONG, SIDES, find_splits, read_splits
from custom.stack import Scaling

logger = logging.getLogger("data")


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
    hold_out: str = BLOCKS,
) -> Split:
    """The items of `labelled_slices` as ``{"train": [...], "val": [...], "test": [...]}``.

    ``dataset_dir/splits.json`` decides where it is present: ``{"train": [stems], "val": [stems], "test": [stems]}``, where a
    scan's name stands for all its files. Otherwise contiguous blocks of z, 80/10/10, fixed by the seed. They are the default
    where scans are told apart too: labels are few, most are to segment the scans that they come from, and with two or
    three scans a third to a half of all labels would teach nothing. `hold_out` "scan" deals out whole scans. A slice that the records know keeps the side that it
    had then, see `keep_sides`; a copy of a training slice is on no other side.

    Args:
        dataset_dir, reading: as for `labelled_slices`.
        scaling: its ``percentiles`` and ``fixed``, by these names.
        seed: of the blocks.
        trained: what is known of the weights that are evaluated or that a training begins with or goes on from.
        new: the side of slices that the records do not know, in a data set that they know: "train" for a training.
        hold_out: "blocks" of z, or "scan" for whole ones, see `split_by_scans`.

    Raises:
        BadInput: a faulty splits.json, or one beside `hold_out` "scan", too few slices to split, a training side without lithium, or a training that
            cannot go on with what is there.
    """
    if trained is not None:
        trained.check_seed(seed)
    items = labelled_slices(dataset_dir, reading=reading, **(scaling or {}))
    listing = find_splits(Path(dataset_dir))
    if listing and hold_out == SCAN:
        raise BadInput(
            f"{listing}: decides on the sides, which --hold_out scan would draw; list whole scans there, which their names do, "
            "and leave --hold_out away, or take the file away"
        )

    folder, classes = os.fspath(dataset_dir), (reading or Reading()).classes

    def draw(part: Sequence[Item]) -> Sides:
        if listing:
            return split_by_stems(part, listing, (reading or Reading()).label_folder, new == "train")
        if hold_out == BLOCKS and len(told := {item["scan"] for item in part if "scan" in item}) > 1:
            logger.info(
                "%s: blocks of z of its %d scans are dealt out; --hold_out scan keeps whole scans for validation and test.",
                folder,
                len(told),
            )
        by = split_by_scans if hold_out == SCAN else split_by_blocks
        return draw_once(part, lambda originals: by(originals, seed, folder, len(classes)), folder)

    if trained is not None and trained.records:
        known = Known(trained.records)
        split = keep_sides(items, known, draw, listing is not None, new, folder, trained.resumed, hold_out)
    else:
        drawn = "the seed, whole scans" if hold_out == SCAN else "the seed"
        split = Split(draw(items), origin="splits.json" if listing else drawn, hold_out=hold_out)
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
    pairs, told = list_pairs(listing.parent, label_folder), listing.with_name("scans.json")
    scans = read_scans(told, pairs).values() if told.is_file() else ()
    owner = read_splits(listing, names_of(pairs), training, {scan.name: scan.files for scan in scans})
    split = {side: [item for item in items if owner.get(item["stem"]) == side] for side in SIDES}
    for side in SIDES:
        listed = list(owner.values()).count(side)
        if listed and not split[side]:
            raise BadInput(
                f"{listing}: no voxel is labelled (all are 255) in any of the {listed} files that it lists under "
                f"{side!r}; label some of them or list others"
            )
    return split


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

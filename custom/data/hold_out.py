"""Whole scans held out: none has slices on two sides, so that scores are of scans that nothing was learned from."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from custom.base.errors import BadInput
from custom.data.blocks import holds
from custom.data.dealing import Sides, deal, split_by_blocks
from custom.data.sides import Item, Place, place_of
from custom.data.splits_json import LONG, SIDES
from custom.stack import source
from custom.stack.formats import stem_of

logger = logging.getLogger("data")

BLOCKS, SCAN = "blocks", "scan"  # what a split holds out
OTHERS = "the 2-D files"  # that no scan is told of: one scan
_MOST = 5  # scans in a sentence


def scan_names(items: Sequence[Item]) -> list[str]:
    """The scan of each slice: by the name that is told, by the stem of a 3-D stack, and of all other 2-D files one."""
    alone: dict[str, str] = {}  # what a file that nothing is told of is, by its stem
    names: list[str] = []
    for item in items:
        told = item.get("scan")
        if told is None and isinstance(item["image"], (str, os.PathLike)):
            stem = str(item.get("stem") or stem_of(Path(item["image"])))
            if stem not in alone:
                alone[stem] = stem if source(item, "image").open().shape[0] > 1 else OTHERS
            told = alone[stem]
        names.append(str(told or OTHERS))  # arrays in memory are 2-D
    return names


def scans_of_stems(items: Sequence[Item]) -> dict[str, str]:
    """The scan of `scan_names`, by the stem of the image that items come from."""
    known = [item for item in items if "stem" in item]
    return dict(zip((str(item["stem"]) for item in known), scan_names(known), strict=True))


def numbered(names: Sequence[str]) -> list[int]:
    """The names' numbers, in the order in which they come up."""
    numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
    return [numbers[name] for name in names]


def scans_of(items: Sequence[Item]) -> dict[str, list[Item]]:
    """The slices of each scan, by its name of `scan_names`."""
    found: dict[str, list[Item]] = {}
    for name, item in zip(scan_names(items), items, strict=True):
        found.setdefault(name, []).append(item)
    return found


def split_by_scans(items: Sequence[Item], seed: int, folder: str, classes: int = 1) -> Sides:
    """Split by whole scans, dealt out as `deal` does; of two scans one is the test side, and val are blocks of the other.

    The scan that is left for training then is the one with most classes, and of those the one with most lithium, or of any
    class.

    Raises:
        BadInput: one scan alone, or two, of which that for the training has one labelled slice.
    """
    scans = scans_of(items)
    if len(scans) < 2:
        raise BadInput(
            f"{folder}: its labelled slices are of one scan ({next(iter(scans), OTHERS)}), and --hold_out scan needs two, better "
            "three; tell the scans apart in scans.json, label slices of another one, or leave --hold_out away"
        )
    split = deal(list(scans.values()), seed, classes) if len(scans) > 2 else _one_held_out(scans, seed, folder, classes)
    _tell(split, folder)
    return split


def side_of_scans(items: Sequence[Item], seen: Mapping[Place, str]) -> dict[Place, str]:
    """For new slices of scans of which an earlier training had some: the side of these, train before val before test.

    Args:
        items: all slices.
        seen: the side of those that the training had.
    """
    found: dict[tuple[str, int], str] = {}
    for part in scans_of(items).values():
        places = [place_of(item) for item in part]
        if sides := {seen[place] for place in places if place in seen}:
            found |= dict.fromkeys((place for place in places if place not in seen), min(sides, key=SIDES.index))
    return found


def _one_held_out(scans: Mapping[str, Sequence[Item]], seed: int, folder: str, classes: int) -> Sides:
    def worth(name: str) -> tuple[int, int]:
        held = sum(holds(scans[name], number) for number in range(classes)) if classes > 1 else 1
        return held, sum(int(item["lithium"]) for item in scans[name])

    learned = max(scans, key=worth)
    if len(scans[learned]) < 2:
        raise BadInput(
            f"{folder}: has two scans, and --hold_out scan leaves {learned} for training and validation, which has one labelled "
            "slice; label a second one there, or slices of a third scan"
        )
    split = split_by_blocks(scans[learned], seed, folder, classes)
    held_out = [item for name, part in scans.items() if name != learned for item in part]
    back = {id(item) for item in split["val"]}
    return {
        "train": [item for item in scans[learned] if id(item) not in back],
        "val": split["val"],
        "test": held_out,
    }


def _tell(split: Sides, folder: str) -> None:
    names = {side: list(scans_of(split[side])) for side in SIDES}
    words = [f"{LONG[side]} {_listed(names[side])} ({len(split[side])} slices)" for side in SIDES]
    logger.info("%s: whole scans are held out: %s.", folder, "; ".join(words))
    if set(names["train"]) & set(names["val"]):
        logger.warning(
            "%s: of two scans one is the test side, so that validation and training are blocks of the other; label slices of a "
            "third one to validate on a scan of its own.",
            folder,
        )
    for side in ("val", "test"):
        if len(split[side]) == 1 and set(names[side]).isdisjoint(names["train"]):
            logger.warning(
                "%s: the %s side is one slice, the only labelled one of %s, whose score may be chance; label more slices of it.",
                folder,
                LONG[side],
                _listed(names[side]),
            )


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return f"{', '.join(names[:_MOST])}{more}"

"""`splits.json`: which files of a labelled data set belong to which side."""

from __future__ import annotations

import difflib
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from custom.base.errors import BadInput
from custom.data.json_beside import find_beside, names_listed, nearest, plain, read_entries, stem_named

logger = logging.getLogger("data")

SIDES = ("train", "val", "test")
LONG = {"train": "training", "val": "validation", "test": "test"}
_SPELT = {"training": "train", "valid": "val", "validation": "val", "testing": "test"}
_FORM = '{"train": ["a", "b"], "val": ["c"], "test": ["d"]}'


def find_splits(dataset_dir: Path) -> Path | None:
    """The data set's `splits.json`, or None; a file that was meant as one and is not named so is told.

    Raises:
        BadInput: it is there but is no file, such as a link to something that is gone.
    """
    drawn = "decides on the sides; they are drawn by the seed"
    return find_beside(dataset_dir, "splits.json", r"splits?[._ ]", drawn)


def read_splits(
    listing: Path,
    files: Mapping[str, str],
    training: bool = True,
    scans: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, str]:
    """What `splits.json` says: the side of every stem that it lists, in its order.

    A side may be one name in place of a list, or spelt out (training, validation, testing); a name may have its suffix
    or its folder before it.

    Args:
        listing: the file.
        files: for every name by which a file may be called, its stem; the stems themselves among them.
        training: whether it has to list something to learn from and something to validate on.
        scans: the stems of each scan that `scans.json` tells of; its name stands for all of them.

    Raises:
        BadInput: no JSON of this form, in another encoding than UTF-8 or UTF-16; a name that is no file's and no scan's; one on two
            sides; nothing to train on or to validate on.
    """
    owner: dict[str, str] = {}
    for side, names in _sides(listing).items():
        for stem in (stem for name in names for stem in _stem(listing, name, files, scans or {})):
            if owner.setdefault(stem, side) != side:
                raise BadInput(f"{listing}: {stem!r} stands under both {owner[stem]} and {side}; keep one of the two")
    for side in ("train", "val") if training else ():
        if side not in owner.values():
            raise BadInput(f"{listing}: lists nothing under {side!r}; training needs slices there")
    return owner


def _sides(listing: Path) -> dict[str, list[Any]]:
    sides: dict[str, list[Any]] = {}
    for key, value in read_entries(listing, _FORM, "put the names under train, val and test"):
        side = _side(key)
        if side is None:
            _warn_of_no_side(listing, key, value)
        elif side in sides:
            raise BadInput(
                f"{listing}: has {side!r} twice, the second time as {key!r}; put all its names into one list"
            )
        else:
            sides[side] = names_listed(listing, key, value, _FORM)
    return sides


def _side(key: str) -> str | None:
    word = key.strip().lower()
    return word if word in SIDES else _SPELT.get(word)


def _warn_of_no_side(listing: Path, key: str, value: Any) -> None:
    """Whatever else a lab notes there may stay, unless it looks like a side misspelt."""
    if near := difflib.get_close_matches(key.strip().lower(), [*SIDES, *_SPELT], n=1, cutoff=0.7):
        raise BadInput(f"{listing}: has {key!r}, which is no side; write {_side(near[0])!r} if it is meant")
    if isinstance(value, (list, str)) and not key.startswith("_"):
        count = len(value) if isinstance(value, list) else 1
        logger.warning(
            "%s: %r is no side, what it lists (%d) is left out; the sides are train, val and test.", listing, key, count
        )


def _stem(listing: Path, name: str | int, files: Mapping[str, str], scans: Mapping[str, Sequence[str]]) -> list[str]:
    """The stems that a name stands for: its file's, or those of all files of its scan."""
    if (stem := stem_named(name, files)) is not None:
        return [stem]
    if (wanted := plain(str(name))) in scans:
        return list(scans[wanted])
    known = sorted({*files.values(), *scans})
    folder = next((stem for stem in files.values() if wanted.startswith(f"{stem}/") or f"/{stem}/" in wanted), None)
    if folder is not None:
        raise BadInput(
            f"{listing}: lists {name!r}, and {folder} is one stack; list {folder!r} with all its slices, or put them into "
            "images/ and labels/ themselves and tell in scans.json that they are of one scan"
        )
    what = "no file in images/" if not scans else "no file in images/ and no scan in scans.json"
    raise BadInput(f"{listing}: lists {name!r}, which is {what}; {nearest(str(name), known)}")

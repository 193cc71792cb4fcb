"""Which slices a training had on which side: written into its record, and read from one."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from custom.data.datasets import expand_slices
from custom.data.digest import add_digests
from custom.data.sides import Item, Place, Side, place_of
from custom.data.splits_json import SIDES
from custom.stack.formats import stem_of

Noted = dict[str, dict[str, str]]  # side -> stem -> "0-15,18 digest digest ...", a digest for each slice, "-" for none


def noted_split(train: Sequence[Item], val: Sequence[Item]) -> Noted:
    """The whole split that the training side belongs to, for a record; image/label paths of a client as they are."""
    if isinstance(train, Side):
        return noted(train.split)
    sides: dict[str, list[Item]] = {"train": expand_slices(train), "val": expand_slices(val), "test": []}
    for item in (item for side in sides.values() for item in side):
        item.setdefault("stem", stem_of(Path(item["image"])))
    return noted(sides)


def noted(sides: Mapping[str, Sequence[Item]]) -> Noted:
    """Slices by side, in few letters."""
    found: Noted = {}
    for side in SIDES:
        items = sorted(sides.get(side, ()), key=place_of)
        add_digests(items)
        found[side] = {
            stem: _text([(item["z"], item["digest"]) for item in group])
            for stem, group in groupby(items, key=lambda item: str(item["stem"]))
        }
    return found


def noted_scans(train: Sequence[Item]) -> dict[str, Any]:
    """Of the split that the training side belongs to, for a record: what is held out and the files of each scan, if any is told."""
    if not isinstance(train, Side):
        return {}
    told: dict[str, set[str]] = {}
    for item in (item for part in train.split.values() for item in part):
        if "scan" in item:
            told.setdefault(item["scan"], set()).add(str(item["stem"]))
    scans = {"scans": {name: sorted(files) for name, files in told.items()}} if told else {}
    return scans | ({} if train.split.hold_out == "blocks" else {"hold_out": train.split.hold_out})


def _text(slices: Sequence[tuple[int, str]]) -> str:
    ranges: list[list[int]] = []
    for z, _ in slices:
        if ranges and ranges[-1][1] == z - 1:
            ranges[-1][1] = z
        else:
            ranges.append([z, z])
    numbers = ",".join(f"{first}-{last}" if last > first else f"{first}" for first, last in ranges)
    return " ".join([numbers, *(digest or "-" for _, digest in slices)])


def _slices(text: str) -> list[tuple[int, str]]:
    numbers, *digests = text.split(" ")
    ends = [list(map(int, part.split("-"))) for part in numbers.split(",")]
    zs = [z for first, *last in ends for z in range(first, (last or [first])[0] + 1)]
    return [(z, digest.strip("-")) for z, digest in zip(zs, digests, strict=True)]


def noted_earlier(train: Sequence[Item], records: Sequence[Mapping[str, Any]]) -> Noted:
    """What earlier parts of a training, or the weights that it began with, knew beside the slices of its own split.

    A slice that was learned from stays so when its file is gone for a while, is changed or comes back renamed.
    """
    sides = train.split if isinstance(train, Side) else {"train": train}
    now = {item.get("digest") or place_of(item) for side in sides.values() for item in side if "stem" in item}
    found: dict[str, list[Item]] = {side: [] for side in SIDES}
    for side, stem, z, digest in dict.fromkeys(known for record in records for known in known_slices(record)):
        if (digest or (stem, z)) not in now:
            found[side].append({"stem": stem, "z": z, "digest": digest})
    return noted({side: _each_once(items) for side, items in found.items()})


def _each_once(items: Sequence[Item]) -> list[Item]:
    """Of slices of one name and several contents each further one gets a name of its own, for a file lists each z once."""
    taken: set[Place] = set()
    for item in items:
        while place_of(item) in taken:
            item["stem"] += "~"
        taken.add(place_of(item))
    return list(items)


def known_slices(record: Mapping[str, Any]) -> Iterable[tuple[str, str, int, str]]:
    """(side, stem, z, digest) of all slices that a record names one by one, those of its own split first."""
    for part in ("split", "earlier"):
        for side, files in (record.get(part) or {}).items():
            for stem, text in files.items():
                yield from ((side, stem, z, digest) for z, digest in _slices(text))


class Known:
    """What records tell of slices; where they tell several things, train goes before val and val before test.

    A slice is known by its grey values first, by its name second, the latter in a data set where others agree in values.

    Args:
        records: of the weights' trainings; one that names no slices counts by the stems of its two sides.
    """

    def __init__(self, records: Sequence[Mapping[str, Any]]) -> None:
        self.records = records
        self.places: dict[Place, str] = {}
        self.contents: dict[str, str] = {}
        self.stems: dict[str, str | None] = {}
        self.own: set[tuple[Place, str]] = set()
        self.hold_out = next((str(record["hold_out"]) for record in records if "hold_out" in record), None)
        for record in records:
            slices = list(known_slices(record))
            for side, stem, z, digest in slices:
                _note(self.places, (stem, z), side)
                if digest:
                    _note(self.contents, digest, side)
            if slices:
                own = {"split": record.get("split")}
                self.own |= {((stem, z), digest) for _, stem, z, digest in known_slices(own)}
            else:
                self._note_stems(record)

    def _note_stems(self, record: Mapping[str, Any]) -> None:
        for side in ("train", "val"):
            for stem in record.get(side) or ():
                # a stack with slices on both sides: which of them, the record does not say
                self.stems[stem] = side if self.stems.get(stem, side) == side else None

    def content(self, item: Item) -> str | None:
        """The side of a slice of this content."""
        return self.contents.get(item["digest"])

    def side(self, item: Item) -> str | None:
        """The side of a slice of this content, else of this name; None of an unknown one.

        Slices that were cut from a stack's start, or put there, shift the places of all others.
        """
        sides = {self.content(item) or self.places.get(place_of(item)), self.stems.get(str(item["stem"]))}
        return next((side for side in SIDES if side in sides), None)

    def told_scans(self) -> set[frozenset[str]]:
        """The files of each scan that the trainings were told of."""
        return {frozenset(files) for record in self.records for files in (record.get("scans") or {}).values()}

    def same_folder(self, folder: str) -> bool:
        """Whether one of the trainings was on the data set in this folder, as far as its path tells."""
        there = (record.get("dataset_dir") for record in self.records)
        return any(os.path.realpath(path) == os.path.realpath(folder) for path in there if path)


def _note(where: dict[Any, str], key: Any, side: str) -> None:
    where[key] = min(where.get(key, side), side, key=SIDES.index)

"""What a recipe is trained on and scored on: the sides of a data set by each protocol."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from custom.base.errors import BadInput
from custom.data import hold_out
from custom.data.blocks import holds
from custom.data.dealing import split_by_blocks
from custom.data.sides import Split, place_of
from custom.data.splits_json import SIDES

logger = logging.getLogger("accuracy")

Item = dict[str, Any]
Sides = dict[str, list[Item]]
ALL = "all"
OWN = "own split"


@dataclass(frozen=True)
class Case:
    """A training side, a validation side and a test side.

    Attributes:
        dataset: name of the data set.
        test: what is tested on: `OWN`, or the scan that is left out.
        labels: how many slices are trained on at most, as text; `ALL`.
        seed: of the draw, and of the training.
        sides: ``train``, ``val`` and ``test``.
        others: labelled slices on no side.
    """

    dataset: str
    test: str
    labels: str
    seed: int
    sides: Sides = field(repr=False)
    others: list[Item] = field(default_factory=list, repr=False)

    @property
    def places(self) -> dict[str, list[list[Any]]]:
        """Stem and z of the slices of each side, as JSON holds them."""
        return {side: [list(place_of(item)) for item in self.sides[side]] for side in SIDES}


def cases_of(
    name: str, split: Split, protocols: Sequence[str], labels: Sequence[str], seed: int, classes: int = 1
) -> list[Case]:
    """The cases of a data set; a scan that is the set's own test side is no case of its own.

    Args:
        name: of the data set.
        split: its own, as the seed gives it.
        protocols: ``split``: the set's own split; ``scans``: each scan is left out once and tested on.
        labels: how many slices of the training side are trained on: numbers, `ALL`.
        classes: how many are looked for.

    Raises:
        BadInput: a side that has to have slices has none.
    """
    whole = [Case(name, OWN, ALL, seed, {side: list(split[side]) for side in SIDES})] if "split" in protocols else []
    whole += [Case(name, scan, ALL, seed, sides) for scan, sides in _scans_left_out(name, split, protocols, seed)]
    for case in whole:
        _check_sides(case)
    known: dict[str, Case] = {}
    for case in whole:
        known.setdefault(repr(case.places), case)
    return [_with_labels(case, count, classes) for case in known.values() for count in labels]


def _check_sides(case: Case) -> None:
    for side in SIDES:
        if not case.sides[side]:
            raise BadInput(
                f"{case.dataset}: the {side} side is empty ({case.test}); list slices for it in splits.json, label more, or "
                "leave the set out of --datasets"
            )


def scans_of(split: Split) -> dict[str, list[Item]]:
    """The labelled slices of each scan that a data set tells of: in its `scans.json`, or by a file of several slices.

    Otherwise nothing tells the scans of 2-D files apart but the hand that sorted them: what `splits.json` lists for training and
    for testing is taken for two scans.
    """
    scans = hold_out.scans_of([item for side in SIDES for item in split[side]])
    scans.pop(hold_out.OTHERS, None)
    if not scans and split.origin == "splits.json":
        return {f"{side} side": list(split[side]) for side in ("train", "test")}
    return scans


def _scans_left_out(name: str, split: Split, protocols: Sequence[str], seed: int) -> list[tuple[str, Sides]]:
    """Train on all other scans, test on one; validate on what the set itself validates on, as far as it is of the others."""
    if "scans" not in protocols:
        return []
    scans = scans_of(split)
    if len(scans) < 2:
        logger.warning("%s: tells of no two scans, so that none is left out; its own split alone is measured.", name)
        return []
    every = [item for side in SIDES for item in split[side]]
    found = []
    for scan, test in scans.items():
        left = {place_of(item) for item in test}
        rest = [item for item in every if place_of(item) not in left]
        val = [item for item in split["val"] if place_of(item) not in left]
        if not val:
            drawn = split_by_blocks(rest, seed, name)
            val = drawn["val"]
        validated = {place_of(item) for item in val}
        train = [item for item in rest if place_of(item) not in validated]
        found.append((scan, {"train": train, "val": val, "test": list(test)}))
    return found


def _with_labels(case: Case, count: str, classes: int) -> Case:
    train = case.sides["train"]
    if count == ALL:
        return case
    if int(count) >= len(train):
        if int(count) > len(train):
            logger.warning(
                "%s, %s: has %d training slices, not %s; all are used.", case.dataset, case.test, len(train), count
            )
        return replace(case, labels=count)
    chosen = evenly(train, int(count), case.seed, classes)
    kept = {place_of(item) for item in chosen}
    others = [item for item in train if place_of(item) not in kept]
    return replace(case, labels=count, sides={**case.sides, "train": chosen}, others=others)


def evenly(items: Sequence[Item], count: int, seed: int, classes: int = 1) -> list[Item]:
    """So many slices at even steps, beginning where the seed says; among the beginnings, one that leaves no class out.

    Somebody who labels a slice takes one that shows what is looked for. Where no beginning gives all classes, the one that
    gives most of them does.
    """
    step = len(items) / count
    beginnings = np.random.default_rng(seed).permutation(math.ceil(step))
    draws = [[items[min(int(begin + i * step), len(items) - 1)] for i in range(count)] for begin in beginnings.tolist()]
    numbers = range(classes) if classes > 1 else (None,)
    return max(draws, key=lambda draw: sum(holds(draw, number) for number in numbers))

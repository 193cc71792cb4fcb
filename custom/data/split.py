"""Labelled slices -> train, val and test, never two sides from one block of neighbouring slices."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from custom.data.labelled import labelled_slices
from custom.data.reading import Reading
from custom.errors import BadInput

SIDES = ("train", "val", "test")
Split = dict[str, list[dict[str, Any]]]


def split_dataset(
    dataset_dir: str | os.PathLike[str],
    seed: int = 0,
    percentiles: Sequence[float] = (0.5, 99.5),
    fixed: Sequence[float] | None = None,
    reading: Reading | None = None,
) -> Split:
    """The items of `labelled_slices` as ``{"train": [...], "val": [...], "test": [...]}``.

    ``dataset_dir/splits.json`` decides where it is present: ``{"train": [stems], "val": [stems], "test": [stems]}``.
    Otherwise contiguous blocks of z, 80/10/10, fixed by the seed.

    Raises:
        BadInput: a faulty splits.json, too few slices to split, or a training side without lithium.
    """
    items = labelled_slices(dataset_dir, percentiles, fixed, reading)
    listing = Path(dataset_dir) / "splits.json"
    split = split_by_stems(items, listing) if listing.is_file() else split_by_blocks(items, seed, dataset_dir)
    if not any(item["lithium"] for item in split["train"]):
        raise BadInput(
            f"{dataset_dir}: none of the {len(split['train'])} training slices holds lithium; choose the sides in "
            "splits.json or give another --seed"
        )
    return split


def split_by_stems(items: Sequence[dict[str, Any]], listing: Path) -> Split:
    """Split as `splits.json` says; stems that it does not list are left out."""
    try:
        listed = json.loads(listing.read_text())
        sides = {side: [str(stem) for stem in listed.get(side, [])] for side in SIDES}
    except (ValueError, AttributeError, TypeError) as error:
        raise BadInput(
            f'{listing}: is not JSON of the form {{"train": [stems], "val": [...], "test": [...]}} ({error})'
        ) from error
    known = {item["stem"] for item in items}
    owner: dict[str, str] = {}
    for side, stems in sides.items():
        for stem in stems:
            if stem not in known:
                raise BadInput(f"{listing}: lists {stem!r}, which is no file in images/; use the names without suffix")
            if owner.setdefault(stem, side) != side:
                raise BadInput(f"{listing}: {stem!r} stands under both {owner[stem]} and {side}; keep one of the two")
    for side in ("train", "val"):
        if not sides[side]:
            raise BadInput(f"{listing}: lists nothing under {side!r}; training needs slices there")
    return {side: [item for item in items if owner.get(item["stem"]) == side] for side in SIDES}


def split_by_blocks(items: Sequence[dict[str, Any]], seed: int, source: str | os.PathLike[str] = "data set") -> Split:
    """Split into contiguous blocks of z: one tenth for val, one tenth for test, the rest for train.

    The slices are cut into about ten blocks that never cross from one stack into the next; a random draw that the seed
    fixes gives blocks to val and to test. With fewer than ten slices every slice is a block; two slices leave test empty.
    """
    if len(items) < 2:
        raise BadInput(f"{source}: one labelled slice cannot be split into training and validation; label a second one")
    blocks = _blocks(items)
    share = max(1, round(len(blocks) / 10))
    drawn = np.random.default_rng(seed).permutation(len(blocks))
    # training needs lithium, so the block that holds most of it is never drawn for another side
    richest = max(range(len(blocks)), key=lambda i: sum(item["lithium"] for item in blocks[i]))
    order = [int(i) for i in drawn if i != richest]
    n_test = share if len(blocks) > 2 else 0
    side_of = dict.fromkeys(order[:share], "val") | dict.fromkeys(order[share : share + n_test], "test")
    split: Split = {side: [] for side in SIDES}
    for i, block in enumerate(blocks):
        split[side_of.get(i, "train")] += block
    return split


def _blocks(items: Sequence[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """2-D files in natural order are one run of z; every stack file is a run of its own."""
    sizes = {stem: len(list(group)) for stem, group in groupby(items, key=lambda item: item["stem"])}
    runs = [list(g) for _, g in groupby(items, key=lambda item: item["stem"] if sizes[item["stem"]] > 1 else None)]
    height = len(items) / 10
    blocks = []
    for run in runs:
        pieces = max(1, min(len(run), round(len(run) / height)))
        blocks += [[run[i] for i in part] for part in np.array_split(np.arange(len(run)), pieces)]
    if len(blocks) == 1:
        half = len(blocks[0]) // 2
        blocks = [blocks[0][:half], blocks[0][half:]]
    return blocks

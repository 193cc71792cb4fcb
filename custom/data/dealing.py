"""Labelled slices -> blocks of neighbours, or whole scans, that are dealt out to the sides of a split."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np

from custom.base.errors import BadInput
from custom.data.blocks import Block, cut_into_blocks, holds, spread
from custom.data.sides import Item
from custom.data.splits_json import SIDES

Sides = dict[str, list[Item]]
DRAWS = 200  # among which one that gives every side of every class is found, if some do


def split_by_blocks(
    items: Sequence[Item], seed: int, source: str | os.PathLike[str] = "data set", classes: int = 1
) -> Sides:
    """Split into contiguous blocks of z: one tenth for val, one tenth for test, the rest for train.

    The slices are cut into about ten blocks that never cross from one stack, or scan, into the next; a random draw that
    the seed fixes gives blocks to val and to test, see `deal`. With fewer than ten slices every slice is a block; two
    slices leave test empty. Where lithium is in two slices at least, val holds some; in three, test does too.

    Raises:
        BadInput: there is one slice.
    """
    if len(items) < 2:
        raise BadInput(f"{source}: one labelled slice cannot be split into training and validation; label a second one")
    blocks = cut_into_blocks(items)
    for number in range(classes) if classes > 1 else (None,):
        blocks = spread(blocks, len(SIDES), number)
    return deal(blocks, seed, classes)


def deal(blocks: Sequence[Block], seed: int, classes: int = 1) -> Sides:
    """One tenth of the blocks for val, one tenth for test, one each at least, the rest for train; two leave test empty.

    A random draw that the seed fixes. Where two blocks hold lithium, val gets some; where three do, test does too: blocks
    change sides for it. Of several classes, that one of `DRAWS` draws is taken which leaves the fewest of them out of
    train, then of val and test.
    """
    return _deal_lithium(blocks, seed) if classes == 1 else _deal_classes(blocks, seed, classes)


def _deal_lithium(blocks: Sequence[Block], seed: int) -> Sides:
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


def _deal_classes(blocks: Sequence[Block], seed: int, classes: int) -> Sides:
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

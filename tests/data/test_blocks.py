"""Blocks of neighbouring labelled slices, and lithium in more than one of them."""

from __future__ import annotations

import itertools
import logging
from typing import Any

import pytest

from custom.data.blocks import cut_into_blocks
from custom.data.dealing import split_by_blocks
from custom.data.split import warn_of_sides_without_lithium

Items = list[dict[str, Any]]


def labelled_at(*places: int, lithium: range | list[int] | None = None) -> Items:
    """Items of one stack; lithium in all of them, or in those at these z."""
    chosen = places if lithium is None else lithium
    return [{"stem": "a", "z": z, "lithium": int(z in chosen)} for z in places]


def zs(items: Items) -> list[int]:
    return [item["z"] for item in items]


@pytest.mark.parametrize(
    ("places", "sizes"),
    [
        (range(25, 600, 50), [1, 1, 1, 1, 1, 2, 1, 1, 1, 2]),  # no slice lies closer than others: about ten blocks
        ([first + step for first in range(0, 600, 50) for step in (0, 1)], None),
        ([0, 1, 2, 90, 91, 92, 300, 301, 302], [3, 3, 3]),
        ([10, 12, 14, 300, 302, 304, 500], [3, 3, 1]),
        ([*range(40), 300, 301], [4, 4, 4, 4, 4, 4, 4, 4, 4, 6]),
    ],
)
def test_slices_that_lie_together_stay_together(places: list[int], sizes: list[int] | None) -> None:
    blocks = [zs(block) for block in cut_into_blocks(labelled_at(*places))]
    assert list(itertools.chain(*blocks)) == list(places)
    if sizes is not None:
        assert sorted(map(len, blocks)) == sorted(sizes)
    else:  # pairs of neighbours
        assert 8 <= len(blocks) <= 10 and all(len(block) % 2 == 0 for block in blocks)


def test_a_hole_or_two_do_not_move_the_cuts() -> None:
    with_holes = [z for z in range(102) if z not in (17, 63)]
    blocks = cut_into_blocks(labelled_at(*with_holes))
    assert list(map(len, blocks)) == [10] * 10


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(
    ("depth", "lithium"), [(12, range(4, 7)), (100, [41, 42, 43]), (100, range(95, 100)), (40, [0, 20, 39])]
)
def test_each_side_gets_lithium_where_three_slices_hold_some(depth: int, lithium: Any, seed: int) -> None:
    items = labelled_at(*range(depth), lithium=lithium)
    split = split_by_blocks(items, seed)
    assert all(any(item["lithium"] for item in side) for side in split.values())
    assert sorted(z for side in split.values() for z in zs(side)) == list(range(depth))
    assert split == split_by_blocks(items, seed)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("lithium", [[41, 42], [3, 77]])
def test_two_slices_with_lithium_are_trained_and_validated_on(
    lithium: list[int], seed: int, caplog: pytest.LogCaptureFixture
) -> None:
    split = split_by_blocks(labelled_at(*range(100), lithium=lithium), seed)
    assert [sum(item["lithium"] for item in split[side]) for side in ("train", "val", "test")] == [1, 1, 0]
    with caplog.at_level(logging.WARNING):
        warn_of_sides_without_lithium(split, "my_slices")
    (record,) = caplog.records
    words = f"my_slices: 2 of 100 labelled slices hold lithium, and none of the {len(split['test'])} test slices"
    assert record.getMessage().startswith(words)


def test_one_slice_with_lithium_is_trained_on(caplog: pytest.LogCaptureFixture) -> None:
    split = split_by_blocks(labelled_at(*range(50), lithium=[9]), 3)
    assert 9 in zs(split["train"])
    warn_of_sides_without_lithium(split, "my_slices")
    assert "none of the 5 validation slices and the 5 test slices: their patches score 1" in caplog.text


def test_nothing_is_said_of_sides_with_lithium_or_without_slices(caplog: pytest.LogCaptureFixture) -> None:
    warn_of_sides_without_lithium(split_by_blocks(labelled_at(*range(30)), 0), "my_slices")
    warn_of_sides_without_lithium(split_by_blocks(labelled_at(0, 1), 0), "my_slices")
    assert not caplog.records

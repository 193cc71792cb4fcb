"""Slices to label next, against a search over all choices."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from custom.labelling.boxes import boxes
from custom.labelling.spacing import next_slices


def widest(depth: int, labelled: list[int]) -> float:
    """The widest part without a label: between two, and twice what lies beyond the first and the last."""
    middles = np.array(sorted(labelled)) + 0.5
    return float(max([2 * middles[0], 2 * (depth - middles[-1]), *np.diff(middles)]))


@pytest.mark.parametrize(
    ("depth", "count", "labelled", "wanted"),
    [
        (100, 5, [], [9, 29, 49, 69, 89]),
        (100, 1, [], [49]),
        (3, 5, [], [0, 1, 2]),
        (100, 4, [0, 99], [20, 40, 59, 79]),
        (5, 9, [0, 1, 2], [3, 4]),
        (5, 2, [0, 1, 2, 3, 4], []),
    ],
)
def test_slices(depth: int, count: int, labelled: list[int], wanted: list[int]) -> None:
    assert next_slices(depth, count, labelled) == wanted


@pytest.mark.parametrize("seed", range(20))
def test_no_choice_leaves_a_much_narrower_widest_part(seed: int) -> None:
    rng = np.random.default_rng(seed)
    depth, count = int(rng.integers(8, 22)), int(rng.integers(1, 4))
    labelled = sorted(rng.choice(depth, int(rng.integers(0, 4)), replace=False).tolist())
    free = [z for z in range(depth) if z not in labelled]
    best = min(widest(depth, [*labelled, *some]) for some in combinations(free, min(count, len(free))))
    found = next_slices(depth, count, labelled)
    assert len(found) == count and not set(found) & set(labelled) and found == sorted(set(found))
    assert widest(depth, [*labelled, *found]) <= best + 2  # places are whole slices


def test_boxes_lie_apart_and_within_the_reconstruction() -> None:
    y, x = np.indices((200, 300))
    gone = (y - 100) ** 2 + (x - 150) ** 2 > 80**2
    found = boxes([(200, 300)] * 6, [gone] * 6, 60)
    assert all((s.stop - s.start) == 60 and s.start >= 0 for box in found for s in box)
    assert all(box[0].stop <= 200 and box[1].stop <= 300 and gone[box].mean() <= 0.5 for box in found)
    assert len({(box[0].start, box[1].start) for box in found}) == 6
    assert boxes([(40, 300)], [None], 60)[0][0] == slice(0, 60)  # a slice of 40 rows is taken whole

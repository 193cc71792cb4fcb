"""Pieces of slabs, joined, are those that SciPy finds in the whole."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from custom.pieces.labelled import Joining, label_slab


def in_slabs(found: np.ndarray, heights: list[int], connectivity: int) -> tuple[int, np.ndarray]:
    """Pieces and their labels 1, 2, ... of the whole."""
    joining, parts, start = Joining(), [], 0
    for height in heights:
        slab = label_slab(found[start : start + height + 1], height, connectivity)
        first = joining.add(slab.pieces, slab.first, slab.last)
        parts.append(slab.runs.painted(slab.numbers + np.int32(first), 0, height))
        start += height
    count, numbers = joining.joined()
    return count, np.concatenate([[0], numbers + 1])[np.concatenate(parts)]


@pytest.mark.parametrize("connectivity", [6, 26])
@pytest.mark.parametrize("seed", range(20))
def test_slabs_of_any_height_make_the_pieces_of_the_whole(seed: int, connectivity: int) -> None:
    rng = np.random.default_rng(seed)
    shape = rng.integers(5, 25, 3)
    found = rng.random(shape) < rng.uniform(0.02, 0.5)
    heights: list[int] = []
    while sum(heights) < shape[0]:
        heights.append(min(int(rng.integers(1, 6)), shape[0] - sum(heights)))
    count, labels = in_slabs(found, heights, connectivity)
    structure = ndimage.generate_binary_structure(3, 1 if connectivity == 6 else 3)
    expected, number = ndimage.label(found, structure)
    assert count == number
    pairs = np.unique(np.stack([labels[found], expected[found]]), axis=1)
    assert pairs.shape[1] == number and len(set(pairs[0])) == len(set(pairs[1])) == number
    assert not labels[~found].any()


def test_touching_corners_and_edges() -> None:
    found = np.zeros((4, 3, 3), bool)
    found[0, 0, 0] = found[1, 1, 1] = True  # a corner, across two slabs
    found[2, 2, 1] = True  # an edge
    assert in_slabs(found, [1, 1, 1, 1], 26)[0] == 1
    assert in_slabs(found, [1, 1, 1, 1], 6)[0] == 3


@pytest.mark.parametrize("connectivity", [6, 26])
@pytest.mark.parametrize("shape", [(1, 3, 3), (3, 3, 3), (5, 3, 7), (2, 5, 1)])
def test_as_many_pieces_as_fit_in(shape: tuple[int, int, int], connectivity: int) -> None:
    found = np.zeros(shape, bool)
    found[::2, ::2, ::2] = True
    count, labels = in_slabs(found, [shape[0]], connectivity)
    assert count == found.sum() and sorted(labels[found]) == list(range(1, count + 1))


def test_nothing_at_all() -> None:
    assert in_slabs(np.zeros((3, 4, 5), bool), [2, 1], 26)[0] == 0

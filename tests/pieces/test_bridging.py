"""The bridging threshold, against labelling the whole stack at every level."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from custom.pieces.bridging import TOUCHES_FIRST, TOUCHES_SECOND, Bridging, forests_of_slab


def found(probability: np.ndarray, touches: np.ndarray, heights: list[int], connectivity: int) -> int:
    bridging, start = Bridging(probability[0].size), 0
    for height in heights:
        part = slice(start, start + height + 1)
        # what lies beyond the sides does not count
        levels = np.pad(probability[part], 1, constant_values=255)
        (forest,) = forests_of_slab(levels, np.ascontiguousarray(touches[part]), height, [connectivity])
        bridging.add(*forest)
        start += height
    return bridging.level()


def expected(probability: np.ndarray, touches: np.ndarray, connectivity: int) -> int:
    structure = ndimage.generate_binary_structure(3, 1 if connectivity == 6 else 3)
    for level in range(255, 0, -1):
        labels, _ = ndimage.label(probability >= level, structure)
        sides = [set(labels[(touches & bit > 0) & (labels > 0)]) for bit in (TOUCHES_FIRST, TOUCHES_SECOND)]
        if sides[0] & sides[1]:
            return level
    return 0


def cell(seed: int) -> tuple[np.ndarray, np.ndarray, list[int]]:
    """Clouds of probability between an electrode above y = 1 and one below the last row but one, tilted by a row."""
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers((3, 6, 3), (12, 14, 12)))
    smooth = ndimage.gaussian_filter(rng.random(shape), rng.uniform(0.3, 1.2))
    smooth = (smooth - smooth.min()) / np.ptp(smooth)
    probability = (255 * np.clip(smooth * 1.3 - 0.2, 0, 1)).astype(np.uint8)
    y = np.arange(shape[1])[:, None] + (np.arange(shape[2]) > shape[2] // 2)
    touches = np.broadcast_to((y < 2) * TOUCHES_FIRST + (y > shape[1] - 2) * TOUCHES_SECOND, shape).astype(np.uint8)
    heights: list[int] = []
    while sum(heights) < shape[0]:
        heights.append(min(int(rng.integers(1, 5)), shape[0] - sum(heights)))
    return probability, touches, heights


@pytest.mark.parametrize("connectivity", [6, 26])
def test_it_is_that_of_trying_every_level(connectivity: int) -> None:
    levels = []
    for seed in range(60):
        probability, touches, heights = cell(seed)
        levels.append(expected(probability, touches, connectivity))
        assert found(probability, touches, heights, connectivity) == levels[-1], seed
    assert len(set(levels)) > 20


def test_one_that_winds_through_many_slabs() -> None:
    """A wall with a hole in every slice, left and right in turn, which weakens by a level from slice to slice."""
    probability = np.zeros((9, 5, 7), np.uint8)
    touches = np.zeros_like(probability)
    for z in range(9):
        probability[z, 2] = 200 - z
        if z % 2:
            probability[z, 2, 1:-1] = 0
            probability[z, 2, 0 if z % 4 == 1 else -1] = 200 - z
            probability[z, 2, -1 if z % 4 == 1 else 0] = 0
    touches[0, 2, 3], touches[8, 2, 3] = TOUCHES_FIRST, TOUCHES_SECOND
    for heights in ([9], [1] * 9, [4, 5], [8, 1]):
        for connectivity in (6, 26):
            assert found(probability, touches, heights, connectivity) == 192


def test_corners_join_where_edges_and_corners_count() -> None:
    probability = np.zeros((2, 2, 2), np.uint8)
    probability[0, 0, 0], probability[1, 1, 1] = 255, 77
    touches = np.zeros_like(probability)
    touches[0, 0, 0], touches[1, 1, 1] = TOUCHES_FIRST, TOUCHES_SECOND
    assert found(probability, touches, [1, 1], 26) == 77 and found(probability, touches, [1, 1], 6) == 0


def test_one_voxel_that_touches_both() -> None:
    probability, touches = np.full((1, 1, 1), 9, np.uint8), np.full((1, 1, 1), TOUCHES_FIRST | TOUCHES_SECOND, np.uint8)
    assert found(probability, touches, [1], 6) == 9

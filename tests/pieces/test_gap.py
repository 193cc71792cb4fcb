"""The smallest gap, against measuring every pair of voxels."""

from __future__ import annotations

import math

import numpy as np
import pytest

from custom.pieces.gap import Gap


def brute(one: np.ndarray, other: np.ndarray, size: tuple[float, float, float]) -> float:
    a, b = np.argwhere(one), np.argwhere(other)
    if not len(a) or not len(b):
        return math.inf
    steps = np.maximum(np.abs(a[:, None] - b[None]) - 1, 0) * np.array(size)
    return float(np.sqrt((steps**2).sum(axis=-1)).min())


def in_slabs(one: np.ndarray, other: np.ndarray, size: tuple[float, float, float], height: int) -> Gap:
    gap, names = Gap(size), np.arange(one.size).reshape(one.shape)
    for start in range(0, len(one), height):
        part = slice(start, start + height)
        gap.add(start, one[part], other[part], names[part])
    return gap


@pytest.mark.parametrize("seed", range(40))
def test_it_is_that_of_all_pairs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shape, size = tuple(rng.integers(3, 16, 3)), tuple(rng.uniform(0.5, 3, 3))
    voxels = rng.random(shape)
    share = rng.choice([0.003, 0.02, 0.2])
    one, other = voxels < share, voxels > 1 - share
    # bodies, not single voxels alone, and mostly apart
    if seed % 2:
        one[:, : shape[1] // 4], other[:, : shape[1] // 4] = True, False
        other[:, shape[1] // 4 : shape[1] // 2] = False
    expected = brute(one, other, size)
    for height in (1, 3, 20):
        found = in_slabs(one, other, size, height).found
        assert found.distance == pytest.approx(expected), (height, expected)
        if math.isfinite(expected):
            assert found.one is not None and found.other is not None
            assert math.dist(found.one, found.other) == pytest.approx(expected)
            ends = [np.array(np.unravel_index(name, tuple(shape))) for name in found.names]
            assert one[tuple(ends[0])] and other[tuple(ends[1])]
            for end, point in zip(ends, (found.one, found.other), strict=True):
                assert np.abs((end + 0.5) * size - point).max() <= np.max(size) / 2 + 1e-9  # a corner of that voxel


@pytest.mark.parametrize("seed", range(30))
def test_it_is_that_of_all_pairs_where_most_of_them_are_far(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shape, size = tuple(rng.integers(40, 70, 3)), tuple(rng.uniform(0.5, 2, 3))
    voxels = rng.random(shape)
    share = 10 ** -rng.uniform(3.5, 4.8)
    one, other = voxels < share, voxels > 1 - share
    expected = brute(one, other, size)
    for height in (5, 16):
        assert in_slabs(one, other, size, height).found.distance == pytest.approx(expected), height


def test_the_points_lie_on_their_own_set() -> None:
    one, other = np.zeros((2, 9, 5, 5), bool)
    one[0:2, 1, 1], other[7:9, 4, 4] = True, True
    for height in (1, 2, 9):
        found = in_slabs(one, other, (1, 1, 1), height).found
        assert found.one == (2, 2, 2) and found.other == (7, 4, 4)
        assert in_slabs(other, one, (1, 1, 1), height).found.one == (7, 4, 4)


def test_touching_voxels_have_none() -> None:
    one, other = np.zeros((2, 3, 3, 3), bool)
    one[0, 0, 0] = other[1, 1, 1] = True
    assert in_slabs(one, other, (1, 2, 3), 1).found.distance == 0


def test_what_is_known_already_bounds_it() -> None:
    one, other = np.zeros((2, 9, 3, 3), bool)
    one[0], other[8] = True, True
    gap = Gap((1, 1, 1), most=5)
    for z in range(9):
        gap.add(z, one[z : z + 1], other[z : z + 1], np.zeros((1, 3, 3), int))
    assert gap.found.distance == math.inf

"""Grey steps across the border of a class, pair by pair."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from custom.guard.border import border_steps


def test_against_pairs_one_by_one() -> None:
    rng = np.random.default_rng(0)
    mask = rng.choice(np.array([0, 1, 2, 255], np.uint8), (9, 11))
    grey = rng.uniform(-10, 110, mask.shape)
    scaled = np.clip(grey / 100, 0, 1)
    expected = np.zeros((2, 2))
    for y in range(9):
        for x in range(11):
            for there in ((y + 1, x), (y, x + 1)):
                if there[0] == 9 or there[1] == 11 or 255 in (mask[y, x], mask[there]):
                    continue
                for value in (1, 2):
                    dy, dx = there[0] - y, there[1] - x
                    before, after = (max(y - dy, 0), max(x - dx, 0)), (min(there[0] + dy, 8), min(there[1] + dx, 10))
                    if (mask[y, x] == value) != (mask[there] == value):
                        step = scaled[after] - scaled[before]
                        expected[value - 1] += step if mask[there] == value else -step, 1
    np.testing.assert_allclose(border_steps(mask, grey, (0, 100), 2), expected, rtol=1e-5)


def test_nothing_found_has_no_border() -> None:
    assert not border_steps(np.zeros((4, 4), np.uint8), np.ones((4, 4)), (0, 1), 1).any()
    square = np.pad(np.ones((4, 4), np.uint8), 3)
    blurred = 1 - ndimage.uniform_filter(square.astype(float), 3)  # its edge is three voxels wide
    total, number = border_steps(square, blurred, (0, 1), 1)[0]
    assert number == 16 and total / number < -0.8

"""Grey steps across the border of a class, pair by pair."""

from __future__ import annotations

import numpy as np
import pytest

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
                    inside, outside = ((y, x), there) if mask[y, x] == value else (there, (y, x))
                    if mask[inside] == value != mask[outside]:
                        expected[value - 1] += scaled[inside] - scaled[outside], 1
    np.testing.assert_allclose(border_steps(mask, grey, (0, 100), 2), expected, rtol=1e-5)


def test_nothing_found_has_no_border() -> None:
    assert not border_steps(np.zeros((4, 4), np.uint8), np.ones((4, 4)), (0, 1), 1).any()
    assert border_steps(np.eye(4, dtype=np.uint8), 1 - np.eye(4), (0, 1), 1)[0] == pytest.approx([-12, 12])

"""Grey values come back from what the window made of them and the few that were kept."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from custom.stack import given_back, left_over
from custom.transforms.grey_window import apply_window

SHAPE = (3, 40, 50)
RANGES = {"uint8": (0, 255), "uint16": (0, 65535), "int16": (-32768, 32767), "int32": (-(2**31), 2**31 - 1)}


def scaled(grey: np.ndarray, window: tuple[float, float]) -> np.ndarray:
    return apply_window(torch.from_numpy(grey), *window)[0].numpy()


@pytest.mark.parametrize("kind", RANGES)
def test_whole_numbers_come_back_as_they_were(kind: str) -> None:
    lower, upper = RANGES[kind]
    grey = np.random.default_rng(0).integers(lower, upper, SHAPE, kind, endpoint=True)
    window = (lower + (upper - lower) / 50 + 0.3, upper - (upper - lower) / 40)
    at, kept = left_over(grey, made := scaled(grey, window), window)
    assert kept.dtype == grey.dtype and (len(at) < 0.1 * grey.size or kind == "int32")
    np.testing.assert_array_equal(given_back(made, window, at, kept), grey)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_other_numbers_come_back_to_a_millionth_of_the_window(kind: type) -> None:
    grey = np.random.default_rng(1).normal(1000, 3, SHAPE).astype(kind)
    grey[0, 0, :5], grey[1, 2, 3] = np.nan, np.inf
    window = (994.0, 1006.0)
    at, kept = left_over(grey, made := scaled(grey, window), window)
    assert 5 < len(at) < 0.1 * grey.size
    np.testing.assert_allclose(given_back(made, window, at, kept), grey, rtol=0, atol=12e-6)
    np.testing.assert_array_equal(given_back(made, window, at, kept)[0, 0, :5], grey[0, 0, :5])


def test_what_was_filled_within_the_material_is_kept_and_what_lies_outside_is_not() -> None:
    grey = np.random.default_rng(2).integers(100, 200, SHAPE).astype(np.uint16)
    outside = np.zeros(SHAPE, bool)
    outside[:, :, :10] = True
    made = scaled(grey, (0, 300))
    made[:, :, :12] = 0.9  # as the filling does, and beyond the outline where voxels are a mixture
    at, kept = left_over(grey, made, (0, 300), outside)
    assert len(at) == 3 * 40 * 2
    np.testing.assert_array_equal(given_back(made, (0, 300), at, kept)[~outside], grey[~outside])


def test_where_most_is_clipped_all_is_kept() -> None:
    grey = np.random.default_rng(3).integers(0, 60000, SHAPE).astype(np.uint16)
    at, kept = left_over(grey, made := scaled(grey, (100, 200)), (100, 200))
    assert at.size == 0 and kept.nbytes == grey.nbytes
    np.testing.assert_array_equal(given_back(made, (100, 200), at, kept), grey)

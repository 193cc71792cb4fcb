"""The best grey window against every window tried one by one."""

import numpy as np
import pytest
from sklearn.metrics import f1_score

from custom.base.errors import BadInput
from custom.metrics.grey_window import best_grey_window


def best_by_trial(image: np.ndarray, label: np.ndarray) -> float:
    image, truth = image[label != 255], label[label != 255] == 1
    values = np.unique(image)
    windows = ((image >= low) & (image <= high) for low in values for high in values[values >= low])
    return max(f1_score(truth, window) for window in windows)


@pytest.mark.parametrize("seed", range(6))
def test_no_window_is_better(seed: int) -> None:
    rng = np.random.default_rng(seed)
    label = rng.choice([0, 1, 255], (8, 9), p=[0.6, 0.25, 0.15]).astype(np.uint8)
    image = rng.integers(0, 12, label.shape) + np.where(label == 1, rng.integers(0, 6), 0)
    low, high, dice = best_grey_window(image, label)
    assert dice == pytest.approx(best_by_trial(image, label), abs=1e-12)
    scored = label != 255
    assert f1_score(label[scored] == 1, ((image >= low) & (image <= high))[scored]) == pytest.approx(dice)


def test_a_separable_image_scores_one() -> None:
    image = np.array([0.1, 0.2, 0.5, 0.6, 0.9], np.float32)
    low, high, dice = best_grey_window(image, np.array([0, 0, 1, 1, 0]))
    assert (low, high, dice) == (pytest.approx(0.5), pytest.approx(0.6), 1.0)


def test_refusals() -> None:
    with pytest.raises(BadInput, match="no lithium"):
        best_grey_window(np.arange(4), np.array([0, 0, 255, 0]))
    with pytest.raises(BadInput, match="shape"):
        best_grey_window(np.arange(4), np.zeros(3))
    with pytest.raises(BadInput, match="NaN"):
        best_grey_window(np.array([1.0, np.nan]), np.array([1, 0]))

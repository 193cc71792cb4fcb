"""Dice of masks is scikit-learn's F1 score."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import f1_score

from custom.metrics.masks import dice_of


@pytest.mark.parametrize("dtype", [bool, np.uint8])
def test_it_is_the_f1_score(dtype: type) -> None:
    one, other = (np.random.default_rng(0).random((2, 5, 6, 7)) < 0.3).astype(dtype)
    assert dice_of(one, other) == pytest.approx(f1_score(one.ravel(), other.ravel()), abs=1e-12)
    assert dice_of(one, np.zeros_like(one)) == 0
    assert dice_of(np.zeros_like(one), np.zeros_like(one)) == 1


def test_of_several_classes_voxels_agree_in_theirs() -> None:
    one, other = np.random.default_rng(0).integers(0, 4, (2, 5, 6, 7), np.uint8)
    micro = f1_score(one.ravel(), other.ravel(), labels=[1, 2, 3], average="micro")
    assert dice_of(one, other) == pytest.approx(micro, abs=1e-12)

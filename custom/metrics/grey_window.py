"""The best that one grey window can do: the score that a network must beat to have learnt more than grey values."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from custom.base.classes import UNLABELLED
from custom.base.errors import BadInput

LITHIUM = 1
LEVELS = 2**16
Counts = NDArray[np.float64]


def best_grey_window(image: ArrayLike, label: ArrayLike) -> tuple[float, float, float]:
    """Find the grey window that fits the labels best: (lo, hi, dice), highest pooled Dice of `lo <= image <= hi`.

    Exact over all windows. Dice = 2 TP / (selected + lithium) is a ratio of two sums over the window's grey values, so
    Dinkelbach's method (Management Science 13, 1967) applies: given a Dice d, the window that maximises
    2 TP - d * selected is a largest-sum run over the sorted grey values; its own Dice is the next d, until d grows
    no more.

    Args:
        image: grey values, finite, any shape.
        label: the same shape; 1 = lithium, 255 = unlabelled (left out), anything else is background.

    Raises:
        BadInput: shapes differ, a grey value is not finite, or nothing is labelled as lithium.
    """
    grey, truth = np.asarray(image), np.asarray(label)
    if grey.shape != truth.shape:
        raise BadInput(
            f"image {grey.shape} and label {truth.shape} differ in shape: give each label the shape of its image."
        )
    labelled = truth != UNLABELLED
    grey, lithium = grey[labelled], truth[labelled] == LITHIUM
    if not np.isfinite(grey).all():
        raise BadInput("the image holds NaN or infinite grey values: replace them before looking for a grey window.")
    if not lithium.any():
        raise BadInput("the label holds no lithium (value 1): a grey window needs at least one labelled voxel.")
    values, where = np.unique(grey, return_inverse=True)
    low, high, dice = best_run(*(np.bincount(where, weights=w).astype(np.float64) for w in (None, lithium)))
    return float(values[low]), float(values[high]), dice


def best_run(selected: Counts, found: Counts) -> tuple[int, int, float]:
    """The same of grey values that are counted: places of the first and last value of the window, and its Dice.

    Args:
        selected: labelled voxels of each grey value, in ascending order.
        found: those of them that belong to the class; at least one does.
    """
    total, best = found.sum(), (0, len(found) - 1)
    dice = 2 * total / (selected.sum() + total)
    while True:
        low, high = _largest_sum_run(2 * found - dice * selected)
        inside = slice(low, high + 1)
        better = 2 * found[inside].sum() / (selected[inside].sum() + total)
        if better <= dice:
            return *best, float(dice)
        best, dice = (low, high), better


class GreyCounts:
    """How often each grey value of [0, 1] stands for each class, from which its best grey window follows.

    Grey values are told apart to 1/65535, as finely as 16 bits have them; nothing else is kept of a slice.

    Args:
        classes: how many there are, without the background.
    """

    def __init__(self, classes: int) -> None:
        self.counts = np.zeros((classes + 1, LEVELS), np.int64)

    def add(self, image: NDArray[Any], label: NDArray[Any]) -> None:
        """Count a slice: `image` in [0, 1], `label` 0 to `classes` and 255, of one shape."""
        known = label != UNLABELLED
        levels = np.rint(np.clip(image[known], 0, 1) * (LEVELS - 1)).astype(np.int64)
        cells = label[known].astype(np.int64) * LEVELS + levels
        self.counts += np.bincount(cells, minlength=self.counts.size).reshape(self.counts.shape)

    def best(self, value: int) -> dict[str, float] | None:
        """The window of the class `value`: `from` and `to` in [0, 1], and its pooled Dice `dsc_d`; None without a voxel."""
        if not self.counts[value].any():
            return None
        levels = np.flatnonzero(self.counts.any(axis=0))
        counts = self.counts[:, levels].astype(np.float64)
        low, high, dice = best_run(counts.sum(axis=0), counts[value])
        return {"from": levels[low] / (LEVELS - 1), "to": levels[high] / (LEVELS - 1), "dsc_d": dice}


def _largest_sum_run(gains: np.ndarray) -> tuple[int, int]:
    """First and last index of the run of `gains` with the largest sum (Kadane's algorithm, with running sums)."""
    before = np.concatenate([[0.0], np.cumsum(gains)])
    rise = before[1:] - np.minimum.accumulate(before[:-1])
    last = int(rise.argmax())
    return int(before[: last + 1].argmin()), last

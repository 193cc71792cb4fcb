"""The best that one grey window can do: the score that a network must beat to have learnt more than grey values."""

import numpy as np
from numpy.typing import ArrayLike

from custom.base.errors import BadInput

LITHIUM, UNLABELLED = 1, 255


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
    selected = np.bincount(where).astype(np.float64)
    found = np.bincount(where, weights=lithium)
    total, best = found.sum(), (0, len(values) - 1)
    dice = 2 * total / (selected.sum() + total)
    while True:
        low, high = _largest_sum_run(2 * found - dice * selected)
        inside = slice(low, high + 1)
        better = 2 * found[inside].sum() / (selected[inside].sum() + total)
        if better <= dice:
            return float(values[best[0]]), float(values[best[1]]), float(dice)
        best, dice = (low, high), better


def _largest_sum_run(gains: np.ndarray) -> tuple[int, int]:
    """First and last index of the run of `gains` with the largest sum (Kadane's algorithm, with running sums)."""
    before = np.concatenate([[0.0], np.cumsum(gains)])
    rise = before[1:] - np.minimum.accumulate(before[:-1])
    last = int(rise.argmax())
    return int(before[: last + 1].argmin()), last

"""How much the grey value changes across the border of a class: what is found in the wrong place has no edge there."""

from __future__ import annotations

import numpy as np

from custom.base.classes import UNLABELLED
from custom.guard.figures import scaled

FURTHER = 1  # voxels beyond the two neighbours, on either side: a blurred edge is wider than one


def border_steps(mask: np.ndarray, raw: np.ndarray, window: tuple[float, float], classes: int) -> np.ndarray:
    """(classes, 2) float64: the sum of the steps from outside into each class, in shares of the window, and their number.

    Wherever of two neighbours along y or x one is of the class, the step is the difference of the voxels one further on either
    side; neighbours that are not labelled have none.

    Args:
        mask: (Y, X) uint8, 0 and the classes' values 1, 2, ..., or 255.
        raw: (Y, X) grey values.
        window: grey values that become 0 and 1.
        classes: how many there are.
    """
    found = np.zeros((classes, 2))
    for labels, grey in ((mask, raw), (mask.T, raw.T)):
        row, column = np.nonzero(labels[1:] != labels[:-1])
        here, there = labels[row + 1, column], labels[row, column]
        beyond = grey[np.minimum(row + 1 + FURTHER, len(grey) - 1), column]
        step = scaled(beyond, window) - scaled(grey[np.maximum(row - FURTHER, 0), column], window)
        known = (here != UNLABELLED) & (there != UNLABELLED)
        for value in range(1, classes + 1):
            sign = ((here == value).astype(np.int8) - (there == value).astype(np.int8)) * known
            found[value - 1] += float(step @ sign), np.count_nonzero(sign)
    return found

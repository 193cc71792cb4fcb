"""How much the grey value changes across the border of a class: what is found in the wrong place has no edge there."""

from __future__ import annotations

import numpy as np

from custom.base.classes import UNLABELLED
from custom.guard.figures import scaled


def border_steps(mask: np.ndarray, raw: np.ndarray, window: tuple[float, float], classes: int) -> np.ndarray:
    """(classes, 2) float64: the sum of the steps from outside into each class, in shares of the window, and their number.

    A step is the difference of two neighbours along y or x of which one is of the class; neighbours that are not labelled
    have none.

    Args:
        mask: (Y, X) uint8, 0 and the classes' values 1, 2, ..., or 255.
        raw: (Y, X) grey values.
        window: grey values that become 0 and 1.
        classes: how many there are.
    """
    found = np.zeros((classes, 2))
    for axis in (0, 1):
        ahead = (slice(1, None), slice(None)) if axis == 0 else (slice(None), slice(1, None))
        behind = (slice(None, -1), slice(None)) if axis == 0 else (slice(None), slice(None, -1))
        edge = np.nonzero(mask[ahead] != mask[behind])
        here, there = mask[ahead][edge], mask[behind][edge]
        step = scaled(raw[ahead][edge], window) - scaled(raw[behind][edge], window)
        known = (here != UNLABELLED) & (there != UNLABELLED)
        for value in range(1, classes + 1):
            sign = ((here == value).astype(np.int8) - (there == value).astype(np.int8)) * known
            found[value - 1] += float(step @ sign), np.count_nonzero(sign)
    return found

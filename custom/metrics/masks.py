"""How far two masks agree."""

from __future__ import annotations

import numpy as np


def dice_of(one: np.ndarray, other: np.ndarray) -> float:
    """Dice of two masks of one shape: 2 |A and B| / (|A| + |B|), 1 where both are empty.

    Of several classes, 0 and their values, all of them together: a voxel agrees where both have the same one.
    """
    total = np.count_nonzero(one) + np.count_nonzero(other)
    return 2 * np.count_nonzero((one == other) & (one != 0)) / total if total else 1.0

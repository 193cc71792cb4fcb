"""The weights that E-Net's search tries."""

from __future__ import annotations

from itertools import product
from math import gcd

import numpy as np
from numpy.typing import NDArray

STEPS = 10  # of 0.1, as in the study


def simplex(members: int = 3, steps: int = STEPS) -> NDArray[np.float64]:
    """(combinations, members) weights in steps of 1 / `steps` whose sum is 1: 66 for three members and steps of 0.1."""
    return _shares([row for row in product(range(steps + 1), repeat=members) if sum(row) == steps])


def full_cube(members: int = 3, steps: int = STEPS) -> tuple[NDArray[np.float64], int]:
    """All weights in [0, 1] in steps of 1 / `steps` but all-zero, divided by their sum; those that become equal are one.

    The study tries all combinations and thresholds the weighted blend at 0.5. A blend is a probability only where the
    weights sum to 1: without the division (0.2, 0.2, 0.0) could never reach 0.5, and (1, 1, 1) would find lithium where
    the members see 0.17 each. Divided, the cube holds finer mixtures than the simplex, such as 1 to 2.

    Returns:
        the distinct weights (combinations, members), and how many combinations they stand for (1330 for three members).
    """
    rows = [row for row in product(range(steps + 1), repeat=members) if any(row)]
    distinct = {tuple(share // gcd(*row) for share in row) for row in rows}
    return _shares(sorted(distinct)), len(rows)


def _shares(rows: list[tuple[int, ...]]) -> NDArray[np.float64]:
    whole = np.array(rows, dtype=np.float64)
    return whole / whole.sum(axis=1, keepdims=True)

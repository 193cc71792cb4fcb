"""What a further scan may measure, given those that are known."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy import stats

FALSE_ALARMS = 0.02  # of scans like those known, over all figures together


def allowed(known: Sequence[float], finest: float, level: float) -> tuple[float, float, float]:
    """Centre and ends of the interval that a further value lies in with probability 1 - `level`, if all are normal.

    The prediction interval, mean +- t s sqrt(1 + 1 / n), with Student's t of n - 1 degrees of freedom: what leaving each
    value out in turn would find, for any level.

    Args:
        known: values.
        finest: least distance of either end from the centre; the only one where there is a single value.
        level: in (0, 1).
    """
    values = np.asarray(known, float)
    centre, half = float(values.mean()), 0.0
    if len(values) > 1:
        quantile = float(stats.t.ppf(1 - level / 2, len(values) - 1))
        half = quantile * float(values.std(ddof=1)) * math.sqrt(1 + 1 / len(values))
    half = max(half, finest)
    return centre, centre - half, centre + half


def excess(value: float, centre: float, lower: float, upper: float) -> float:
    """How far a value lies from the centre, in distances of the end on its side; above 1 is out of range."""
    end = upper if value > centre else lower
    return abs(value - centre) / abs(end - centre)

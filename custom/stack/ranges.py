"""Slice numbers in words."""

from collections.abc import Sequence

import numpy as np


def in_ranges(numbers: Sequence[int] | np.ndarray, most: int = 3) -> str:
    """Ascending slice numbers as words: "slice 2", "slices 3 to 5 and 8", at most `most` ranges."""
    runs = np.split(np.asarray(numbers), np.flatnonzero(np.diff(numbers) > 1) + 1)
    words = [f"{run[0]} to {run[-1]}" if len(run) > 1 else f"{run[0]}" for run in runs[:most]]
    more = f" and {sum(map(len, runs[most:]))} more" if len(runs) > most else ""
    return f"slice{'s' if len(numbers) > 1 else ''} {', '.join(words)}{more}"

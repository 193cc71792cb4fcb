"""How much the pseudo-labels count as a training goes on."""

from __future__ import annotations

import math
from typing import Protocol


class Progress(Protocol):
    """Knows how far a training has come, as `TrainingBudget` does."""

    @property
    def now(self) -> float: ...


class RampUp:
    """A weight that is 0 at first, and then rises to its highest as exp(-5 (1 - t)^2), t from 0 to 1.

    As long as it is 0 no unlabelled patch passes through a network, and steps cost what they do without any.

    Source: Laine and Aila, "Temporal Ensembling for Semi-Supervised Learning", ICLR 2017.

    Args:
        budget: knows the progress of the training, in [0, 1].
        start: progress at which the weight begins to rise.
        length: progress in which it rises.
        highest: the weight from then on.
    """

    def __init__(self, budget: Progress, start: float = 0.1, length: float = 0.2, highest: float = 1.0) -> None:
        self.budget = budget
        self.start, self.length, self.highest = start, length, highest

    @property
    def weight(self) -> float:
        """Of the pseudo-labelled voxels, beside 1 of the labelled ones."""
        passed = self.budget.now - self.start
        if passed < 0:
            return 0.0
        t = min(passed / self.length, 1.0) if self.length else 1.0
        return self.highest * math.exp(-5 * (1 - t) ** 2)

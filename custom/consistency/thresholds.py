"""How sure a teacher has to be of a voxel, for each class by itself."""

from __future__ import annotations

from typing import Any

import ignite.distributed as idist
import torch
from torch import Tensor

from custom.base.classes import UNLABELLED

_ROUNDING = 1e-6  # of a mean of float32: where all voxels are equally sure, all count


class ClassThresholds:
    """Turns a teacher's logits into labels, 255 wherever it is less sure than it mostly is of that class.

    A voxel counts where the probability of its most probable class, background among them, reaches the running mean of
    just this among the voxels that the teacher gives to the class, or `highest` where the mean is beyond it. One
    threshold for all classes votes rare ones away: of lithium, 1 % of the voxels, a network is seldom as sure as of
    background.

    Source: the running mean confidence is the self-adaptive threshold of Wang et al., "FreeMatch", ICLR 2023 (eq. 5),
    here kept for each class among its own voxels. FreeMatch scales one threshold by each class's mean probability over
    *all* samples (eq. 6 and 7), which takes classes to be equally frequent: for 1 % of lithium that is 0.01, whatever
    the network thinks of the voxels it finds. `highest` is the fixed threshold of Sohn et al., "FixMatch", NeurIPS
    2020.

    Args:
        momentum: how much of the means stays at each step. FreeMatch has 0.999 in trainings of a million steps.
        highest: no threshold is above it.
    """

    def __init__(self, momentum: float = 0.98, highest: float = 0.95) -> None:
        self.momentum, self.highest = momentum, highest
        self.means: list[float | None] = []

    def __call__(self, logits: Tensor, known: Tensor) -> Tensor:
        """Labels (B, 1, Y, X), float32: the number of a class, 0 for background, or 255.

        Args:
            logits: (B, 1, Y, X) of one class, (B, 1 + K, Y, X) of K, the first the background's.
            known: (B, 1, Y, X), 255 where nothing is to be learned.
        """
        lithium = torch.sigmoid(logits)
        shares = torch.cat([1 - lithium, lithium], 1) if logits.shape[1] == 1 else torch.softmax(logits, 1)
        sure, found = shares.max(1, keepdim=True)
        inside = known != UNLABELLED
        self._follow(sure, found, inside, shares.shape[1])
        least = torch.tensor([self.threshold(c) for c in range(shares.shape[1])], device=sure.device)
        taken = inside & (sure >= least[found] - _ROUNDING)
        return torch.where(taken, found.float(), float(UNLABELLED))

    def threshold(self, number: int) -> float:
        """The least probability of a class from which its voxels count."""
        mean = self.means[number]
        return self.highest if mean is None else min(mean, self.highest)

    def _follow(self, sure: Tensor, found: Tensor, inside: Tensor, classes: int) -> None:
        of_class = [inside & (found == c) for c in range(classes)]
        sums = torch.stack([torch.stack([(sure * some).sum(), some.sum()]) for some in of_class])
        if idist.get_world_size() > 1:
            sums = idist.all_reduce(sums)  # type: ignore[assignment]
        self.means = self.means or [None] * classes
        for c, (total, count) in enumerate(sums.tolist()):
            if count:
                mean, now = self.means[c], total / count
                self.means[c] = now if mean is None else self.momentum * mean + (1 - self.momentum) * now

    def state_dict(self) -> dict[str, Any]:
        """What a restart needs."""
        return {"means": list(self.means)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from `state_dict`."""
        self.means = list(state["means"])

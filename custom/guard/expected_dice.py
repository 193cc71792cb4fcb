"""The Dice that a mask is expected to have, from the probabilities that it was made of and the edges that it lies on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from custom.base.classes import LITHIUM
from custom.guard.border import border_steps
from custom.guard.figures import contrast
from custom.guard.looking import middle
from custom.guard.ranges import allowed
from custom.guard.reference import KEY, Reference, read_reference
from custom.quantities.quantity import FoundSlab, Quantity, VoxelSize

SUMS, MEMBERS = "pred_sums", "members"  # what the evaluator counted
ERROR = "expected_dice_error"  # in the validation of a record
# of a half interval, in standard deviations: what a validation of few scans missed by is less than what others will; of 20 further
# cells of the phantom 14 had their true Dice within 2, and 18 within 3
SIDES = 3.0
BORDER_LEVEL = 0.05  # of the training's scans may have a weaker edge or a stronger one
_BLOCKS = 10  # along z


class ExpectedDice(Quantity[FoundSlab]):
    """Expected Dice of each class, with an interval; no probability.

    Of probabilities p that fit how often there is the class, a mask m has the expected Dice 2 sum(p m) / (sum p + sum m).
    Where several members of an E-Net run, it is the mean of the Dice of each two of their masks (Zenk et al., Medical Image
    Analysis 101:103392, 2025) if that is less. Networks are sure of themselves on stacks that they do not know. So it is
    multiplied with min(1, e / e0): e is how much the grey value changes across the border of what was found, in units of the
    stack's contrast over 8 voxels, and e0 the least that the labels of the training let expect (`allowed`).

    The interval is value +- 3 sqrt(a^2 + b^2), its upper end that of the value without the edge: a is the spread of blocks
    along z (jackknife), b the root mean square by which the validation's slices missed their expected Dice at training.

    Args:
        classes: names of the mask's values 1, 2, ...
        records: of the weights, of each member's in an ensemble.
    """

    name = "expected_dice"

    def __init__(self, classes: Sequence[str] = LITHIUM, records: Sequence[Mapping[str, Any]] = ()) -> None:
        self.classes = tuple(classes)
        self.references = [found for record in records if (found := read_reference(record.get(KEY))) is not None]
        missed = [(record.get("validation") or {}).get(ERROR) for record in records]
        self.missed = max((float(one) for one in missed if isinstance(one, (int, float))), default=None)
        self._sums: list[np.ndarray] = []  # (classes, 3) of each slice: voxels of the mask, probability there, in all
        self._steps: list[np.ndarray] = []  # (classes, 2) of each slice, see `border_steps`
        self._structure: list[float] = []
        self._members: np.ndarray | None = None  # (pairs, classes, 2): voxels in common, of both

    def of_slab(self, slab: FoundSlab) -> dict[str, np.ndarray]:
        """``sums`` (h, classes, 3), ``steps`` (h, classes, 2) and ``structure`` (h,) of the slices, and the ``members``."""
        steps = [
            border_steps(mask, grey, slab.window, len(self.classes))
            for mask, grey in zip(slab.mask, slab.grey, strict=True)
        ]
        part = middle(slab.mask.shape[1:])
        inside = [None] * len(slab.mask) if slab.outside is None else [~one[part] for one in slab.outside]
        structure = [contrast(grey[part], slab.window, one) for grey, one in zip(slab.grey, inside, strict=True)]
        kept = {"sums": slab.counts[SUMS], "steps": np.array(steps), "structure": np.array(structure)}
        return kept | ({MEMBERS: slab.counts[MEMBERS]} if MEMBERS in slab.counts else {})

    def add(self, start: int, slab: Mapping[str, np.ndarray]) -> None:
        """Sums add up."""
        self._sums += list(slab["sums"])
        self._steps += list(slab["steps"])
        self._structure += slab["structure"].tolist()
        if MEMBERS in slab:
            self._members = slab[MEMBERS] + (0 if self._members is None else self._members)

    def result(self, voxel_size_um: VoxelSize) -> dict[str, Any]:
        """``expected_dice``: what `_told` says, of several classes by their names."""
        each = {name: self._told(number) for number, name in enumerate(self.classes)}
        return {"expected_dice": each if len(each) > 1 else each[self.classes[0]]}

    def _told(self, number: int) -> dict[str, Any]:
        """``value`` and ``interval`` (None where nothing was found), and what they are made of."""
        sums = np.array([plane[number] for plane in self._sums])
        dice, spread = _dice(sums.sum(axis=0)), _jackknife(sums)
        agreement = None if self._members is None else _agreement(self._members[:, number])
        edge, least = self._edge(number)
        told = {"from_probabilities": dice, "agreement_of_members": agreement, "edge": edge, "least_edge": least}
        told |= {"spread": spread, "error_at_validation": self.missed}
        if dice is None:
            return {"value": None, "interval": None, **told}
        certain = dice if agreement is None else min(dice, agreement)
        value = certain if edge is None or least is None else certain * min(1.0, max(edge, 0.0) / least)
        half = SIDES * math.hypot(spread or 0.0, self.missed or 0.0)
        return {"value": value, "interval": [max(0.0, value - half), min(1.0, certain + half)], **told}

    def _edge(self, number: int) -> tuple[float | None, float | None]:
        """The edge of what was found, positive where it is of the same sign as that of the labels, and the least expected."""
        total, count = np.sum([steps[number] for steps in self._steps], axis=0).tolist()
        structure = [one for one in self._structure if math.isfinite(one)]
        least = [one for reference in self.references if (one := _least(reference, number)) is not None]
        if not count or not structure or not least:
            return None, None
        strictest = max(least, key=abs)
        return math.copysign(1.0, strictest) * total / count / float(np.mean(structure)), abs(strictest)


def _least(reference: Reference, number: int) -> float | None:
    """The end nearer to 0 of what the labels' edges let expect; None where they are of no certain sign."""
    known = [one for one in reference.border[number] if math.isfinite(one)] if number < len(reference.border) else []
    if not known:
        return None
    _, lower, upper = allowed(known, 0.0, BORDER_LEVEL)
    return lower if lower > 0 else upper if upper < 0 else None


def _dice(sums: np.ndarray) -> float | None:
    voxels, within, probability = sums.tolist()
    return 2 * within / (voxels + probability) if voxels else None


def _jackknife(sums: np.ndarray) -> float | None:
    """Standard error of the Dice of sums, each of up to ten blocks of slices left out in turn (Efron 1982)."""
    blocks = np.array([part.sum(axis=0) for part in np.array_split(sums, min(len(sums), _BLOCKS))])
    left = [one for block in blocks if (one := _dice(blocks.sum(axis=0) - block)) is not None]
    return math.sqrt((len(left) - 1) * float(np.var(left))) if len(left) > 1 else None


def _agreement(pairs: np.ndarray) -> float | None:
    found = [2 * common / both for common, both in pairs.tolist() if both]
    return float(np.mean(found)) if found else None

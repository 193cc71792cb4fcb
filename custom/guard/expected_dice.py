"""The Dice that a mask is expected to have, from the probabilities that it was made of and the edges that it lies on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from custom.base.classes import LITHIUM
from custom.guard.border import border_steps
from custom.guard.ranges import allowed
from custom.guard.reference import KEY, Reference, read_reference
from custom.quantities.quantity import FoundSlab, Quantity, VoxelSize

SUMS, MEMBERS = "pred_sums", "members"  # what the evaluator counted
ERROR = "expected_dice_error"  # in the validation of a record
# of a half interval, in standard deviations: what a validation of few scans missed by is less than what others will; of 20 further
# cells of the phantom 14 had their true Dice within 2, and 18 within 3
SIDES = 3.0
LEVEL = 0.05  # of scans like the training's may have another edge, or another share of a class, than is allowed
_BLOCKS = 10  # along z


class ExpectedDice(Quantity[FoundSlab]):
    """Expected Dice of each class, with an interval; no probability.

    Of probabilities p that fit how often there is the class, a mask m has the expected Dice 2 sum(p m) / (sum p + sum m).
    Where several members of an E-Net run, it is the mean of the Dice of each two of their masks (Zenk et al., Medical Image
    Analysis 101:103392, 2025) if that is less. Networks are sure of themselves on stacks that they do not know, so it is
    multiplied with two factors that the labels of the training know of, each at most 1:

    - e / e0: e is the mean step of the grey value across the border of what was found, in shares of the grey window, and e0
      the least that the labels let expect (`allowed`). What is found in the wrong place has no edge there.
    - 2 a / (a + s) for a share s of the voxels that is more than a, the most that they let expect, and 2 s / (s + b) for one
      that is less than b, the least: the largest Dice of a mask, whose true share lies between b and a.

    The interval is value +- 3 sqrt(c^2 + d^2), its upper end that of the value without the factors: c is the spread of blocks
    along z (jackknife), d the root mean square by which the validation's slices missed their expected Dice at training.

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
        self._voxels = 0  # within the reconstruction
        self._members: np.ndarray | None = None  # (pairs, classes, 2): voxels in common, of both

    def of_slab(self, slab: FoundSlab) -> dict[str, np.ndarray]:
        """``sums`` (h, classes, 3), ``steps`` (h, classes, 2), ``voxels`` within the reconstruction, and the ``members``."""
        planes = zip(slab.mask, slab.grey, strict=True)
        steps = np.array([border_steps(mask, grey, slab.window, len(self.classes)) for mask, grey in planes])
        outside = 0 if slab.outside is None else np.count_nonzero(slab.outside)
        kept = {"sums": slab.counts[SUMS], "steps": steps, "voxels": np.array(slab.mask.size - outside)}
        return kept | ({MEMBERS: slab.counts[MEMBERS]} if MEMBERS in slab.counts else {})

    def add(self, start: int, slab: Mapping[str, np.ndarray]) -> None:
        """Sums add up."""
        self._sums += list(slab["sums"])
        self._steps += list(slab["steps"])
        self._voxels += int(slab["voxels"])
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
        (edge, least), (share, allowed_share) = self._edge(number), self._share(number, float(sums[:, 0].sum()))
        told: dict[str, Any] = {
            "from_probabilities": dice,
            "agreement_of_members": agreement,
            "edge": edge,
            "least_edge": least,
        }
        told |= {"share": share, "allowed_share": allowed_share, "spread": spread, "error_at_validation": self.missed}
        if dice is None:
            return {"value": None, "interval": None, **told}
        certain = dice if agreement is None else min(dice, agreement)
        weak = 1.0 if edge is None or least is None else min(1.0, max(edge, 0.0) / least)
        value = certain * weak * (1.0 if allowed_share is None else most_possible(share, allowed_share))
        half = SIDES * math.hypot(spread or 0.0, self.missed or 0.0)
        return {"value": value, "interval": [max(0.0, value - half), min(1.0, certain + half)], **told}

    def _edge(self, number: int) -> tuple[float | None, float | None]:
        """The edge of what was found, positive where it is of the same sign as that of the labels, and the least expected."""
        total, count = np.sum([steps[number] for steps in self._steps], axis=0).tolist()
        least = [one for reference in self.references if (one := _least(reference, number)) is not None]
        if not count or not least:
            return None, None
        strictest = max(least, key=abs)
        return math.copysign(1.0, strictest) * total / count, abs(strictest)

    def _share(self, number: int, voxels: float) -> tuple[float, list[float] | None]:
        """The share of the voxels that was found, and the least and the most that the labels let expect of any training."""
        known = [ends for reference in self.references if (ends := _shares(reference, number)) is not None]
        widest = [min(low for low, _ in known), max(high for _, high in known)] if known else None
        return voxels / max(self._voxels, 1), widest


def most_possible(share: float, allowed_share: Sequence[float]) -> float:
    """The largest Dice that a mask of a share of the voxels can have, if the true share lies between two."""
    least, most = allowed_share
    true = min(max(share, least), most)
    return 2 * min(share, true) / (share + true)


def _shares(reference: Reference, number: int) -> tuple[float, float] | None:
    shares = reference.shares[number] if number < len(reference.shares) else []
    known = [math.log(one) for one in shares if math.isfinite(one) and one > 0]
    if not known:
        return None
    _, lower, upper = allowed(known, math.log(2), LEVEL)  # of a single scan nobody knows more than half or double
    return math.exp(lower), min(math.exp(upper), 1.0)


def _least(reference: Reference, number: int) -> float | None:
    """The end nearer to 0 of what the labels' edges let expect; None where they are of no certain sign."""
    known = [one for one in reference.border[number] if math.isfinite(one)] if number < len(reference.border) else []
    if not known:
        return None
    _, lower, upper = allowed(known, 0.0, LEVEL)
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

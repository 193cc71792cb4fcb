"""All scans of a series, each registered to the first."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from custom.base.errors import BadInput
from custom.measuring.reading import Cell
from custom.series.agreement import Agreement, agreement
from custom.series.listing import Listed, Scan
from custom.series.move import Move
from custom.series.refining import refined
from custom.series.registering import register
from custom.series.view import MOST, View, factor_for, view_of

logger = logging.getLogger("series")

# Of scans of one cell of `custom.phantom.growing`, one and four steps of growth apart, the agreement is .44 and .41 in grey values
# and .25 and .20 in masks; of scans of two such cells, laid on one another as well as can be, .04 and .11.
_LEAST_OVERLAP, _LEAST_GREY, _LEAST_MASKS = 0.25, 0.12, 0.15


@dataclass(frozen=True)
class Registered:
    """Where a scan lies against the first.

    Attributes:
        move: from the first scan to this one.
        found: how it may be judged.
        by: what it was registered by, in words.
    """

    move: Move
    found: Agreement
    by: str


def middle(cell: Cell) -> np.ndarray:
    """The middle of a scan, (3,), about which the others are turned."""
    return np.asarray((np.array(cell.mask.shape) - 1) / 2 * np.array(cell.voxel_size))


class Registration:
    """Registers one scan after the other, each to the first, so that errors do not add up.

    Where a scan looks too unlike the first one, it is laid on the scan before it, and goes on to the first from there.

    Args:
        most: voxels of the copies that are compared.
    """

    def __init__(self, listed: Listed, cells: Sequence[Cell], most: int = MOST) -> None:
        self.listed, self.cells = listed, cells
        self.factor = max(factor_for(cell.mask.shape, most) for cell in cells)
        grey = all(cell.grey is not None for cell in cells)
        self.cells = list(cells) if grey else list(map(_of_masks, listed.scans, cells))
        self.by, self.least = ("grey values", _LEAST_GREY) if grey else ("lithium and electrodes", _LEAST_MASKS)
        self._views: dict[int, View] = {}

    def first(self) -> Registered:
        """The first scan, which lies where it lies."""
        return Registered(Move.none(middle(self.cells[0])), Agreement(1.0, None), "itself")

    def register(self, number: int, before: Registered) -> Registered:
        """Register the scan of a number, 1 or more, in their order.

        Args:
            before: the scan before it.

        Raises:
            BadInput: it does not register; says the overlap.
        """
        first, this = self._view(0), self._view(number)
        if not all(np.ptp(one.values if one.has_grey else one.lithium) for one in (first, this)):
            logger.warning(
                "%s: nothing in it or in the first scan tells where it lies; it is taken to lie as the scan before it. Give the "
                "grey stacks of all scans in a column stack.",
                self.listed.place(self.listed.scans[number]),
            )
            return Registered(before.move, agreement(first, this, before.move), "nothing: as the scan before it")
        best = self._refined(number, register(first, this, [before.move]))
        if not self._good(best.found):
            none = Move.none(before.move(middle(self.cells[0])))
            turned = register(self._view(number - 1), this, [none])
            chained = self._refined(number, _chained(before.move, turned))
            best = max(best, chained, key=lambda one: one.found.agreement or 0)
        for done in set(self._views) - {0, number}:  # three copies at once
            del self._views[done]
        if not self._good(best.found):
            raise self._refusal(self.listed.scans[number], best.found)
        return best

    def _refined(self, number: int, move: Move) -> Registered:
        first, this, grey = self.cells[0], self.cells[number], self.by == "grey values"
        if self.factor > 1:  # to within a voxel first
            move = refined(first, this, move, grey, sigma=float(self.factor))
        move = refined(first, this, move, grey)
        return Registered(move, agreement(self._view(0), self._view(number), move), self.by)

    def _view(self, number: int) -> View:
        if number not in self._views:
            self._views[number] = view_of(self.cells[number], self.factor)
        return self._views[number]

    def _good(self, found: Agreement) -> bool:
        return found.overlap >= _LEAST_OVERLAP and (found.agreement is None or found.agreement >= self.least)

    def _refusal(self, scan: Scan, found: Agreement) -> BadInput:
        agree = (
            ""
            if found.agreement is None
            else f" and agree there by {max(found.agreement, 0):.2f}, less than {self.least}"
        )
        return BadInput(
            f"{self.listed.place(scan)}: {scan.files['mask']} does not register to the first scan by {self.by}; they share "
            f"{found.overlap:.0%} of the field of view{agree}; leave the row away if it is of another cell or place, else turn "
            f"and shift it by hand to within some voxels"
            + ("" if self.by == "grey values" else ", or give the grey stacks of all scans in a column stack")
        )


def _of_masks(scan: Scan, cell: Cell) -> Cell:
    """What of a scan is compared without grey values: planes that are given for all scans do not move with one."""
    for_all = cell.electrodes is not None and cell.electrodes.source.startswith("given") and scan.electrodes is None
    return replace(cell, grey=None, electrodes=None if for_all else cell.electrodes)


def _chained(before: Move, turned: Move) -> Move:
    """A move of what another one has moved, about another centre."""
    moved = turned(before(before.centre))
    return Move(turned.turn @ before.turn, moved - before.centre, before.centre)

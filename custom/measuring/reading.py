"""Slabs of a cell from a mask, a probability and electrodes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from custom.base.classes import LITHIUM
from custom.base.errors import BadInput
from custom.electrodes.electrodes import Electrodes
from custom.measuring.around import Around
from custom.measuring.cell_slab import TOUCHING, CellSlab, Lengths
from custom.pieces.directions import REACH
from custom.stack import Slab, Stack

_LOOKED_AT = 9  # slices, for whether a probability belongs to a mask
_IMPROBABLE = 26  # of 255 levels


@dataclass(frozen=True)
class Cell:
    """What is measured.

    Attributes:
        mask: 0, and the values of classes.
        lithium: those of its values that are lithium.
        probability: uint8 in 255 steps or float in [0, 1], of the mask's shape; None: there is none.
        electrodes: None: none were found.
        voxel_size: (z, y, x) in um, or three times 1 where it is unknown.
        grey: the stack that the mask was made of, of its shape; None: it is not known.
        classes: names of the mask's values 1, 2, ...
        deviation: standard deviation of the probability over an E-Net's members, as the probability; None: it is not known.
    """

    mask: Stack
    lithium: tuple[int, ...]
    probability: Stack | None
    electrodes: Electrodes | None
    voxel_size: Lengths
    grey: Stack | None = None
    classes: tuple[str, ...] = LITHIUM
    deviation: Stack | None = None

    @property
    def touching(self) -> float | None:
        """Up to which distance a voxel's middle touches an electrode; None without electrodes."""
        return None if self.electrodes is None else TOUCHING * self.voxel_size[self.electrodes.axis]

    def check(self) -> None:
        """Raises: BadInput: mask, probability and deviation are of different shape, or do not belong together."""
        for stack, what in ((self.probability, "probability"), (self.deviation, "uncertainty")):
            if stack is not None and stack.shape != self.mask.shape:
                ours, theirs = (" x ".join(map(str, one.shape)) for one in (self.mask, stack))
                raise BadInput(
                    f"{stack.path}: has {theirs} voxels (z, y, x) and the mask {self.mask.path.name} {ours}; give the {what} "
                    "that was written with this mask"
                )
        if self.deviation is not None and self.probability is None:
            raise BadInput(
                f"{self.deviation.path}: is the members' deviation of a probability; give --probability with it"
            )
        if self.probability is not None:
            self._check_belongs(self.probability)

    def _check_belongs(self, probability: Stack) -> None:
        """Refuse the probability of another mask: lithium that is hardly probable, in some slices."""
        depth = self.mask.shape[0]
        lithium = improbable = 0
        for z in sorted({round((n + 0.5) * depth / _LOOKED_AT - 0.5) for n in range(_LOOKED_AT)}):
            found = np.isin(self.mask.read(z, z + 1), self.lithium)
            lithium += int(np.count_nonzero(found))
            improbable += int(np.count_nonzero(_levels(probability.read(z, z + 1))[found] < _IMPROBABLE))
        if improbable > lithium / 2:
            raise BadInput(
                f"{probability.path}: gives {improbable / lithium:.0%} of the lithium in {self.mask.path.name} a probability below "
                "0.1, so that it is not that of this mask; give the probability that was written with it, or none"
            )

    def slabs(self, slabs: Sequence[Slab]) -> Iterator[CellSlab]:
        """Some of its slabs, read one at a time; where one follows another nothing is read twice."""
        around = [None if stack is None else Around(stack) for stack in (self.mask, self.probability, self.deviation)]
        for slab in slabs:
            mask, levels, deviations = (None if one is None else one.read(slab.start, slab.stop) for one in around)
            assert mask is not None
            yield self._slab(slab, mask, *(None if one is None else _levels(one) for one in (levels, deviations)))

    def _slab(self, slab: Slab, mask: np.ndarray, levels: np.ndarray | None, deviations: np.ndarray | None) -> CellSlab:
        lithium = mask == self.lithium[0] if len(self.lithium) == 1 else np.isin(mask, self.lithium)
        own = np.ascontiguousarray(mask[REACH:-REACH, REACH:-REACH, REACH:-REACH], np.uint8)
        known = (self.electrodes, self.touching or 0.0, self.voxel_size)
        height = slab.stop - slab.start
        return CellSlab(slab.start, height, self.mask.shape, lithium, own, levels, *known, deviations)


def _levels(probability: np.ndarray) -> np.ndarray:
    if probability.dtype == np.uint8:
        return probability
    return np.asarray(np.clip(np.floor(probability * 255 + 0.5), 0, 255).astype(np.uint8))

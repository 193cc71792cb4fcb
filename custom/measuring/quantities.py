"""Which quantities are measured of a cell, and their parts of a slab as they are kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from custom.measuring.agglomerates import Agglomerates
from custom.measuring.bridging import Bridged
from custom.measuring.cell_slab import CellSlab
from custom.measuring.coarse import Coarse
from custom.measuring.depth import Depth
from custom.measuring.maps import Maps
from custom.measuring.reading import Cell
from custom.measuring.sweep import Sweep
from custom.measuring.volume import Volume
from custom.quantities.quantity import Quantity

Q = TypeVar("Q")


class Quantities:
    """Those that can be measured of what there is.

    Args:
        cell: without electrodes no depth and no short circuit, without a probability no thresholds.
        thresholds: of the probability.
    """

    def __init__(self, cell: Cell, thresholds: Sequence[float]) -> None:
        shape, size, electrodes = cell.mask.shape, cell.voxel_size, cell.electrodes
        probable = cell.probability is not None
        agglomerates = Agglomerates(shape, size, cell.touching, cell.classes)
        area = None if electrodes is None else electrodes.area(shape, size)
        self._all: list[Quantity[Any]] = [
            Volume(shape, size, area),
            agglomerates,
            Coarse(shape, size, electrodes, probable),
        ]
        bridged = None
        if electrodes is not None and cell.touching is not None:
            bridged = Bridged(shape[1] * shape[2], agglomerates, cell.touching, probable)
            self._all.append(Maps(shape, size, electrodes.axis))
            self._all.append(Depth(electrodes.apart(shape, size), size, electrodes.axis))
            self._all.append(bridged)
        if probable and thresholds:
            self._all.append(Sweep(thresholds, size, cell.touching, bridged, cell.deviation is not None))

    def __iter__(self) -> Iterator[Quantity[Any]]:
        return iter(self._all)

    def of_slab(self, slab: CellSlab) -> dict[str, np.ndarray]:
        """What all of them keep of a slab, by the quantity's name and its own."""
        return {f"{one.name}/{key}": values for one in self._all for key, values in one.of_slab(slab).items()}

    def add(self, start: int, kept: Mapping[str, np.ndarray]) -> None:
        """Give it back, slab after slab."""
        for one in self._all:
            head = f"{one.name}/"
            one.add(start, {key.removeprefix(head): values for key, values in kept.items() if key.startswith(head)})

    def one(self, kind: type[Q]) -> Q:
        """The one of a kind, which has to be there."""
        return next(quantity for quantity in self._all if isinstance(quantity, kind))

"""What a quantity is: something measured of each slab where it is segmented, and added up in the order of the slabs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np

VoxelSize = Sequence[float] | None  # (z, y, x) in micrometres, None where it is unknown
Row = Mapping[str, object]  # of a table: a value by its column; None is an empty cell


@dataclass(frozen=True)
class FoundSlab:
    """What a segmentation knows of the slices of one slab.

    Attributes:
        results: (h, Y, X) of each result that is written, by its name; ``mask`` always, uint8, 0 or a class's value.
        grey: (h, Y, X), the grey values in the stack's own units.
        outside: bool, what lies outside the reconstruction and is background in the mask; None: nothing does.
        nonfinite: grey values that are NaN or infinite, within the reconstruction.
        counts: whatever else the evaluator counted in it, by the key of its item.
        window: grey values that a network sees as 0 and 1.
    """

    results: Mapping[str, np.ndarray]
    grey: np.ndarray
    outside: np.ndarray | None = None
    nonfinite: int = 0
    counts: Mapping[str, np.ndarray] = field(default_factory=dict)
    window: tuple[float, float] = (0.0, 1.0)

    @property
    def mask(self) -> np.ndarray:
        """(h, Y, X) uint8, 0 or a class's value."""
        return self.results["mask"]


S = TypeVar("S")  # what is known of a slab: `FoundSlab` while a stack is segmented, `CellSlab` of a finished mask


class Quantity(ABC, Generic[S]):
    """Something that is measured of a stack, an entry in the list ``quantities`` of a config.

    `of_slab` runs once a slab, in the process that segments it; what it gives lies on disk with the slab. When all slabs
    are there, one process gives it back to `add`, in the order of the slabs, and asks for the result. So a run that was
    cut off, or shared by several processes, ends with the same numbers.

    Attributes:
        name: under which a slab's part is kept; no other quantity has it.
        files: names of the tables that `tables` gives, for those of an earlier result.
        settings: what decides its numbers, by the keys of the command line; JSON types.
    """

    name: ClassVar[str]
    files: tuple[str, ...] = ()
    settings: Mapping[str, Any] = MappingProxyType({})

    @abstractmethod
    def of_slab(self, slab: S) -> Mapping[str, np.ndarray]:
        """What is kept of a slab: small arrays, by names of the quantity's own; must not change the slab's."""

    @abstractmethod
    def add(self, start: int, slab: Mapping[str, np.ndarray]) -> None:
        """Add what `of_slab` gave of the slab that begins with slice `start`."""

    @abstractmethod
    def result(self, voxel_size_um: VoxelSize) -> dict[str, Any]:
        """What summary.json says of all slabs that were added; nothing in micrometres without a voxel size."""

    def tables(self, voxel_size_um: VoxelSize) -> dict[str, Sequence[Row]]:
        """CSV files beside summary.json, by their names: rows of the same columns, at least one."""
        return {}

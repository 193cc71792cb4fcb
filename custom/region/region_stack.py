"""A region as a stack, sampled as it is read: segmented without a copy on disk."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from custom.region.laying import region_place, region_voxel_size
from custom.region.record import Region
from custom.stack import Stack

if TYPE_CHECKING:
    from custom.region.sampling import Sampler


class RegionStack(Stack):
    """A region of raw stacks.

    Slices are best read in order, each raw slice is then read once; any other order costs reading again. What is compiled
    for that, and the memory, comes with the first slice.

    Args:
        region: `matched` with its stacks.
        stacks: in the order of its fields.
        order: linear, cubic or nearest.
        height: slices that are sampled at a time.
        threads: None: one a core.
    """

    def __init__(
        self,
        region: Region,
        stacks: Sequence[Stack],
        order: str = "linear",
        height: int = 16,
        threads: int | None = None,
    ) -> None:
        first = stacks[0]
        assert region.shape is not None
        super().__init__(first.path, region.shape, writable(first.dtype), region_voxel_size(region, first))
        self.region, self.stacks, self.order, self.height, self.threads = region, tuple(stacks), order, height, threads
        self.files = [file for stack in stacks for file in stack.files]
        if region.path is not None:
            self.files.append(region.path)
        self.place = region_place(region, first)
        self.costly_again = True
        self.scratch_dir, self.selected = first.scratch_dir, first.selected
        self._sampler: Sampler | None = None
        self._lock = threading.Lock()

    @property
    def sampler(self) -> Sampler:
        """What samples it."""
        if self._sampler is None:
            from custom.region.sampling import Sampler  # numba takes a second, and no stack without a region needs it

            self._sampler = Sampler(self.region, self.stacks, self.order, self.height, self.threads)
        return self._sampler

    def _read(self, start: int, stop: int) -> np.ndarray:
        with self._lock:
            return self.sampler.read(start, stop)


def writable(dtype: np.dtype) -> np.dtype:
    """The type of a region of voxels of this type: the same, or of at most 32 bits where no format of ours holds it."""
    narrower = {"float16": "float32", "int64": "int32", "uint64": "uint32"}
    return np.dtype(narrower.get(dtype.name, dtype.name))

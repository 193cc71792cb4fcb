"""Stacks in libraries that cut any part out of an N-dimensional array on disk: HDF5 and Zarr."""

from pathlib import Path
from typing import Any

import numpy as np

from custom.stack.axes import Axes
from custom.stack.faults import refusing_damage
from custom.stack.handle import Handle
from custom.stack.stack import Stack
from custom.stack.units import VoxelSize


class ArrayStack(Stack):
    """Reads the chunks that the wanted slices touch.

    `handle` lends something whose attribute `array` numpy's basic indexing cuts.
    """

    def __init__(
        self, path: Path, axes: Axes, dtype: np.dtype, voxel_size: VoxelSize | None, handle: Handle[Any]
    ) -> None:
        super().__init__(path, axes.shape, dtype, voxel_size)
        self._axes, self._handle = axes, handle
        self.stored_order = axes.order

    def _read(self, start: int, stop: int) -> np.ndarray:
        return self.read_box(slice(start, stop))

    def read_box(self, z: slice, y: slice = slice(None), x: slice = slice(None)) -> np.ndarray:
        """See `Stack.read_box`: no chunk beside the part is touched."""
        with refusing_damage(self.path, f"slices {z.start} to {z.stop - 1}"), self._handle.lend() as opened:
            return self._axes.turned(np.asarray(opened.array[self._axes.slices(z.start, z.stop, y, x)]))

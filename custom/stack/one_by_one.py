"""Stacks whose slices a library hands over one by one: out of one file, or each out of its own."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from custom.stack.faults import refusing_damage
from custom.stack.handle import Handle
from custom.stack.stack import Stack
from custom.stack.units import VoxelSize


class OneByOne(Stack):
    """Reads the wanted slices and no others.

    `handle` lends something that is closed, and whose `slice(z)` is a slice (Y, X) of the stored type.
    """

    def __init__(
        self,
        path: Path,
        shape: tuple[int, int, int],
        dtype: np.dtype,
        voxel_size: VoxelSize | None,
        handle: Handle[Any],
    ) -> None:
        super().__init__(path, shape, dtype, voxel_size)
        self._handle = handle

    def _read(self, start: int, stop: int) -> np.ndarray:
        slices = np.empty((stop - start, *self.shape[1:]), self.dtype)
        for z in range(start, stop):
            with refusing_damage(self.path, f"slice {z}"), self._handle.lend() as opened:
                slices[z - start] = opened.slice(z)
        return slices


class FileBySlice(Stack):
    """Opens each slice's file for the moment of its reading.

    Args:
        path: of the folder.
        files: of the slices, in their order.
        read: of each file what reads its slice, (Y, X) of the stored type; picklable.
    """

    def __init__(
        self,
        path: Path,
        files: Sequence[Path],
        shape: tuple[int, int],
        dtype: np.dtype,
        voxel_size: VoxelSize | None,
        read: Sequence[Callable[[], np.ndarray]],
    ) -> None:
        super().__init__(path, (len(files), *shape), dtype, voxel_size)
        self.files = list(files)
        self._readers = read

    def _read(self, start: int, stop: int) -> np.ndarray:
        slices = np.empty((stop - start, *self.shape[1:]), self.dtype)
        for z in range(start, stop):
            with refusing_damage(self.files[z]):
                slices[z - start] = self._readers[z]()
        return slices

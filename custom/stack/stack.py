"""What every opened stack offers, whatever its format."""

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np

from custom.base.errors import BadInput
from custom.stack.grain import Grain
from custom.stack.place import Place, plain_affine
from custom.stack.units import VoxelSize


class Between(Protocol):
    """What stands between the reads and the file, and keeps what one read decodes beyond its slices for the next."""

    def read(self, stack: "Stack", start: int, stop: int) -> np.ndarray:
        """The slices start, ..., stop - 1 of `stack`, in memory of their own."""


class Stack(ABC):
    """A stack of grey slices on disk, opened lazily and never written to.

    Attributes:
        path: the file or folder.
        shape: (Z, Y, X); a single slice is (1, Y, X).
        dtype: type of the voxels that `read` returns, in native byte order; stored booleans come as uint8.
        voxel_size: the voxel size and where it was read, or None when it is unknown.
        place: where the file says that its voxels lie, or None where it does not.
        stored_order: which of the file's three axes, counted from 0, are z, y and x, where it says so, else None.
        selected: what was chosen of the file, by the keys of the command line that say so.
        doubt: what speaks against the place of a label that is paired with its image all the same; "" if nothing does.
        files: the files, or folders of files, that hold it.
        step: between neighbouring grey values where stored integers were given a slope, else 0.
        grain: the chunks that it is cut into; None: slices are read one by one.
        between: what keeps decoded chunks from one read to the next, if anything.
        mapped: whether slices are mapped from the file as they are.
        costly_again: whether reading a slice again costs the decoding of others.
        scratch_dir: where files may be put that help to read it; None: among the system's temporary ones.
    """

    step = 0.0
    costly_again = mapped = False
    scratch_dir: Path | None = None
    doubt = ""
    stored_order: tuple[int, int, int] | None = None
    selected: Mapping[str, Any] = MappingProxyType({})

    def __init__(
        self,
        path: str | os.PathLike[str],
        shape: tuple[int, int, int],
        stored_dtype: np.dtype,
        voxel_size: VoxelSize | None,
    ) -> None:
        """Describe the stack.

        Raises:
            BadInput: there is no voxel, or the voxels are not plain numbers (complex, records, text).
        """
        self.path = Path(path)
        self.files = [self.path]
        self.shape = shape
        self.dtype = _native_dtype(path, stored_dtype)
        self.voxel_size = voxel_size
        self.place: Place | None = None
        self.grain: Grain | None = None
        self.between: Between | None = None
        if 0 in shape:
            raise BadInput(f"{path}: holds no voxels, its size (z, y, x) is {shape}; export it anew.")

    @property
    def voxel_size_um(self) -> tuple[float, float, float] | None:
        """Size of a voxel along (z, y, x) in micrometres, or None when it is unknown."""
        return self.voxel_size.um if self.voxel_size else None

    @property
    def voxel_size_source(self) -> str | None:
        """Where the voxel size was read, such as "ImageJ metadata" or "given", or None when it is unknown."""
        return self.voxel_size.source if self.voxel_size else None

    @property
    def affine(self) -> np.ndarray:
        """4 x 4, from voxel numbers (x, y, z) to mm, x to the right, y to the front, z up (RAS), as ITK reads the file.

        Where no place is stated that is the voxel size (1 mm where it is unknown), x to the left, y to the back.
        """
        if self.place is not None:
            return self.place.seen
        z, y, x = self.voxel_size_um or (1000.0, 1000.0, 1000.0)
        return plain_affine((x / 1000, y / 1000, z / 1000))

    def read(self, start: int, stop: int) -> np.ndarray:
        """Read the slices start, ..., stop - 1.

        Returns:
            A contiguous array (stop - start, Y, X) of `dtype`, in memory of its own.

        Raises:
            IndexError: not 0 <= start < stop <= Z.
            BadInput: the file is damaged there.
        """
        if not 0 <= start < stop <= self.shape[0]:
            raise IndexError(f"slices {start} to {stop} do not lie within the {self.shape[0]} slices of {self.path}")
        part = self.between.read(self, start, stop) if self.between else self._read(start, stop)
        return np.ascontiguousarray(part, dtype=self.dtype)

    def read_box(self, z: slice, y: slice = slice(None), x: slice = slice(None)) -> np.ndarray:
        """A part as the file has it, straight from there: (Z, Y, X) of the stored type, in memory of its own."""
        return self._read(z.start, z.stop)[:, y, x]

    @abstractmethod
    def _read(self, start: int, stop: int) -> np.ndarray:
        """The slices start, ..., stop - 1 as (stop - start, Y, X), in memory of their own, of the stored type."""


def _native_dtype(path: str | os.PathLike[str], stored: np.dtype) -> np.dtype:
    if stored.kind == "b":
        return np.dtype(np.uint8)
    if stored.kind not in "iuf":
        raise BadInput(f"{path}: its voxels are of type {stored}, not grey values; export it as integers or floats.")
    return stored.newbyteorder("=")

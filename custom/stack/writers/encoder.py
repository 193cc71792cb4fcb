"""What a file format must do to be written slab by slab."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from custom.stack.place import LPS_TO_RAS, Place

# What all the formats and their usual readers share; NRRD and NIfTI have neither bool nor float16.
DTYPES = ("uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64")


@dataclass(frozen=True)
class Layout:
    """What is known of a stack before its first voxel.

    Attributes:
        name: what the stack is called, such as mask.
        shape: (Z, Y, X).
        dtype: one of `DTYPES`, turned to little-endian.
        voxel_size_um: (z, y, x) in micrometres, or None when unknown.
        place: where the voxels lie, or None when nothing is known but their size.
        classes: names of its values 1, 2, ..., where the voxels are classes.
    """

    name: str
    shape: tuple[int, int, int]
    dtype: np.dtype[Any]
    voxel_size_um: tuple[float, float, float] | None
    place: Place | None = None
    classes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(self.shape) != 3 or min(self.shape) < 1:
            raise ValueError(f"a stack has the shape (Z, Y, X), each at least 1, not {self.shape}")
        if self.dtype.name not in DTYPES:
            raise ValueError(f"a stack cannot be written as {self.dtype}, only as one of {', '.join(DTYPES)}")
        size = self.voxel_size_um or (1.0, 1.0, 1.0)
        if len(size) != 3 or not all(math.isfinite(edge) and edge > 0 for edge in size):
            raise ValueError(f"a voxel size is three positive numbers (z, y, x) in micrometres, not {size}")
        object.__setattr__(self, "dtype", self.dtype.newbyteorder("<"))

    @property
    def several(self) -> bool:
        """Whether it holds several classes, which need their names; 1 in a mask of a single one needs no word."""
        return len(self.classes) > 1

    @property
    def nbytes(self) -> int:
        """Size of all voxels without compression."""
        return math.prod(self.shape) * self.dtype.itemsize

    @property
    def spacing_mm(self) -> tuple[float, float, float] | None:
        """(x, y, z) in millimetres, as medical formats have it, or None when unknown."""
        if self.voxel_size_um is None:
            return None
        z, y, x = self.voxel_size_um
        return x / 1000, y / 1000, z / 1000

    @property
    def lps_mm(self) -> np.ndarray:
        """4 x 4, from voxel numbers (x, y, z) to mm to the left, the back and up, where an unknown unit counts as mm."""
        if self.place is None:
            return np.diag([*(self.spacing_mm or (1.0, 1.0, 1.0)), 1.0])
        affine: np.ndarray = LPS_TO_RAS @ np.diag([self.place.mm] * 3 + [1.0]) @ self.place.affine
        return affine


class Encoder(ABC):
    """Turns slabs into the bytes of one format.

    `target` exists when the encoder is made: an empty folder if `folder`, else an empty file.
    """

    suffix: ClassVar[str]
    folder: ClassVar[bool] = False

    @abstractmethod
    def __init__(self, target: Path, layout: Layout) -> None: ...

    @abstractmethod
    def append(self, start: int, slab: npt.NDArray[Any]) -> None:
        """Write the slices from `start` on; `slab` is (h, Y, X), C-contiguous, of the layout's dtype."""

    @abstractmethod
    def finish(self) -> None:
        """Write what follows the last slice and let go of the target."""

    @abstractmethod
    def release(self) -> None:
        """Let go of the target as it is, finished or not."""

"""Zeiss Xradia reconstructions (.txm): an OLE file with a stream a slice, read with the package olefile.

The names of the streams are those of the open readers of it, dxchange (github.com/data-exchange/dxchange) first.
"""

from functools import partial
from pathlib import Path

import numpy as np

from custom.base.errors import BadInput
from custom.stack.axes import find_axes
from custom.stack.faults import refusing_damage
from custom.stack.format import Format
from custom.stack.handle import Handle
from custom.stack.one_by_one import OneByOne
from custom.stack.scanners.library import library
from custom.stack.selection import Selection
from custom.stack.stack import Stack
from custom.stack.units import VoxelSize, stated_voxel_size

_DTYPES = {3: "u1", 5: "u2", 10: "f4"}  # ImageInfo/DataType
_A_STORAGE = 100  # slices in each of ImageData1, ImageData2, ...
_PROJECTIONS = ".txrm"


def open_txm(path: Path, chosen: Selection) -> Stack:
    """Open a Zeiss .txm; its slices are those of the reconstruction, its unit is the micrometre.

    Raises:
        BadInput: damaged, projections (.txrm), without a volume, or olefile is not installed.
    """
    if path.suffix.lower() == _PROJECTIONS:
        raise BadInput(f"{path}: holds X-ray projections; give the .txm of the reconstruction.")
    handle = Handle(partial(_Slices, path))
    with refusing_damage(path), handle.lend() as opened:
        shape, dtype, size = opened.shape, opened.dtype, opened.voxel_size
    find_axes(path, shape, chosen)  # nothing is left to choose
    return OneByOne(path, shape, dtype, size, handle)


class _Slices:
    """The open file."""

    def __init__(self, path: Path) -> None:
        self._ole = library(path, "olefile").OleFileIO(str(path))
        try:
            y, x = (int(self._number(f"Image{side}", "<i4")) for side in ("Height", "Width"))
            count, kind = int(self._number("NoOfImages", "<i4")), int(self._number("DataType", "<i4"))
            if count < 2 or not self._ole.exists(_stream(count - 1)):
                raise BadInput(
                    f"{path}: holds no reconstructed volume but {max(count, 0)} images; export the reconstruction."
                )
            if kind not in _DTYPES:
                raise BadInput(
                    f"{path}: its voxels are of Zeiss' type {kind}, which is not read; export it as 16 bits."
                )
        except BaseException:
            self.close()
            raise
        self.shape, self.dtype = (count, y, x), np.dtype(_DTYPES[kind]).newbyteorder("<")

    @property
    def voxel_size(self) -> VoxelSize | None:
        """That of `PixelSize`, for cubes."""
        if not self._ole.exists("ImageInfo/PixelSize"):
            return None
        return stated_voxel_size([float(self._number("PixelSize", "<f4"))] * 3, "um", "Zeiss header")

    def slice(self, z: int) -> np.ndarray:
        """Raises ValueError where the stream has not as many bytes as a slice."""
        return np.frombuffer(self._ole.openstream(_stream(z)).read(), self.dtype).reshape(self.shape[1:])

    def close(self) -> None:
        self._ole.close()

    def _number(self, name: str, dtype: str) -> np.generic:
        return np.frombuffer(self._ole.openstream(f"ImageInfo/{name}").read(), dtype, 1)[0]


def _stream(z: int) -> str:
    return f"ImageData{z // _A_STORAGE + 1}/Image{z + 1}"


FORMAT = Format("Zeiss", (".txm", _PROJECTIONS), open_txm)

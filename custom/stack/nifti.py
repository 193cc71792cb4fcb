"""NIfTI (.nii, .nii.gz), versions 1 and 2."""

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import nibabel
import numpy as np
from nibabel.affines import voxel_sizes

from custom.stack.axes import find_axes
from custom.stack.block import Block, open_block
from custom.stack.faults import refusing_damage
from custom.stack.format import Format
from custom.stack.nifti_place import nifti_place
from custom.stack.selection import Selection
from custom.stack.stack import Stack
from custom.stack.units import VoxelSize, first_stated, stated_in_mm, stated_voxel_size

_AXES = ("w", "v", "u", "t", "z", "y", "x")  # the standard says what the first four are: time, then vectors
_UNIT_NAMES = {"micron": "um", "mm": "mm", "meter": "m"}


def open_nifti(path: Path, chosen: Selection) -> Stack:
    """Open a NIfTI file as its voxels lie, (x, y, z) turned round to (Z, Y, X); flips in the affine are not applied.

    Raises:
        BadInput: damaged, cut short, not of plain numbers, or not one volume.
    """
    with refusing_damage(path):
        image = cast(nibabel.Nifti1Image, nibabel.load(path))
        voxels = cast(nibabel.arrayproxy.ArrayProxy, image.dataobj)
        axes = find_axes(path, voxels.shape[::-1], chosen, _AXES[-len(voxels.shape) :])
        # nibabel turns to Fortran order (x fastest); read as C order that is (z, y, x).
        if path.name.lower().endswith(".gz"):
            block = Block(path, 0, axes, voxels.dtype, "deflate", skip=voxels.offset)
        else:
            block = Block(path, voxels.offset, axes, voxels.dtype)
        slope, intercept = float(voxels.slope), float(voxels.inter)
        voxel_size = _voxel_size(image.header)
        place = nifti_place(path, image.header, axes)
    stack = open_block(path, block, voxel_size)
    stack = stack if (slope, intercept) == (1.0, 0.0) else RescaledStack(stack, slope, intercept)
    stack.place = place
    return stack


class RescaledStack(Stack):
    """A stack whose grey values are `slope` times the stored ones plus `intercept`.

    They come as float32 where that holds every stored value (integers up to 16 bits), else as float64.
    """

    def __init__(self, stored: Stack, slope: float, intercept: float) -> None:
        super().__init__(stored.path, stored.shape, np.result_type(stored.dtype, np.float32), stored.voxel_size)
        self._stored, self._slope, self._intercept = stored, slope, intercept
        self.step = abs(slope) if stored.dtype.kind in "iu" else 0.0
        self.costly_again = stored.costly_again

    def _read(self, start: int, stop: int) -> np.ndarray:
        values = self._stored.read(start, stop).astype(self.dtype, copy=False)
        return values * self.dtype.type(self._slope) + self.dtype.type(self._intercept)


def _voxel_size(header: nibabel.Nifti1Header) -> VoxelSize | None:
    """From the zooms, and from the sform, which a program may have changed without the zooms."""
    zooms = _stated(header, header.get_zooms()[:3], "NIfTI header")
    if not header["sform_code"]:
        return zooms
    return first_stated(zooms, _stated(header, voxel_sizes(header.get_sform()), "NIfTI sform"))


def _stated(header: nibabel.Nifti1Header, xyz: Sequence[float], source: str) -> VoxelSize | None:
    # The header holds float32; its shortest decimal form is what was meant (0.00133, not 0.00132999995).
    sizes = [float(str(np.float32(size))) for size in xyz][::-1]
    unit = header.get_xyzt_units()[0]
    if unit == "mm":
        return stated_in_mm(sizes, source)
    return stated_voxel_size(sizes, _UNIT_NAMES.get(unit), source)


FORMAT = Format("NIfTI", (".nii", ".nii.gz"), open_nifti)

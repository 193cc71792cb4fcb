"""NIfTI-1, gzip-compressed."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import numpy.typing as npt
from nibabel.affines import voxel_sizes

from custom.base.errors import BadInput
from custom.stack.place import LPS_TO_RAS, displacement
from custom.stack.warn import warn_once
from custom.stack.writers.encoder import Encoder, Layout
from custom.stack.writers.gzip_stream import GzipStream
from custom.stack.writers.label_table import caret_extension

LONGEST_AXIS = 32767  # NIfTI-1 counts voxels in 16-bit signed integers
_ROUNDED = 0.05  # voxels; float32 alone moves one of 0.001 mm by .002 at 50 mm from the origin


class NiftiEncoder(Encoder):
    """A .nii.gz file: the header, then (Z, Y, X) in C order, which is NIfTI's (x, y, z) in Fortran order.

    Raises:
        BadInput: an axis is longer than NIfTI-1 can say.
    """

    suffix = ".nii.gz"

    def __init__(self, target: Path, layout: Layout) -> None:
        if max(layout.shape) > LONGEST_AXIS:
            raise BadInput(
                f"A stack of {layout.shape} voxels is too long for NIfTI, which ends at {LONGEST_AXIS} an axis: "
                "give --output_format zarr, tiff or nrrd."
            )
        self._stream = GzipStream(target)
        self._stream.write(_header(layout))

    def append(self, start: int, slab: npt.NDArray[Any]) -> None:
        self._stream.write_slices(slab)

    def finish(self) -> None:
        self._stream.finish()

    def release(self) -> None:
        self._stream.close()


def _header(layout: Layout) -> bytes:
    """The header: a stack's own NIfTI fields where it has such, else the place in mm, in unknown units where it has none."""
    header = nib.Nifti1Header(endianness="<")
    header.set_data_dtype(layout.dtype)
    header.set_data_shape(layout.shape[::-1])
    place = layout.place
    if place is not None and place.nifti is not None:
        _copy(header, place.nifti)
        header.set_xyzt_units(place.unit or "unknown")
    else:
        _state(header, LPS_TO_RAS @ layout.lps_mm, layout.shape)
        if layout.voxel_size_um is not None:
            header.set_xyzt_units("mm")
        if place is not None and place.known and place.mm != place.seen_mm:
            warn_once(
                f"ITK and 3D Slicer take the unit of the stack's lengths, {place.unit}, for mm, but heed the one of NIfTI, "
                "so that they do not lay the result over the stack; give --output_format nrrd for that."
            )
    if layout.several:
        header.set_intent("label")
        header.extensions.append(caret_extension(layout.classes))
    buffer = io.BytesIO()
    header.write_to(buffer)
    return buffer.getvalue()


def _copy(header: nib.Nifti1Header, fields: Mapping[str, Any]) -> None:
    """Programs prefer one or the other of two forms, and see the same as in the stack's own file if both are kept."""
    for name, value in fields.items():
        header[name] = value if name != "pixdim" else [*value, *header["pixdim"][len(value) :]]
    sizes = header["pixdim"][1:4]
    header["pixdim"][1:4] = np.where(sizes > 0, sizes, 1.0)  # 0 along the third axis of a single slice


def _state(header: nib.Nifti1Header, affine: np.ndarray, shape: tuple[int, int, int]) -> None:
    """Both forms where a rotation is all there is to say, else the sform alone."""
    header.set_sform(affine, code="scanner")
    header.set_zooms(voxel_sizes(affine))
    header.set_qform(affine, code="scanner")
    if displacement(affine, header.get_qform(), shape) > _ROUNDED:
        header.set_qform(None, code="unknown")
    rounded = displacement(affine, header.get_sform(), shape)
    if rounded > _ROUNDED:
        warn_once(
            f"NIfTI's 32-bit numbers move voxels by up to {rounded:.2g} of their size so far from the origin; give "
            "--output_format nrrd to keep their place."
        )

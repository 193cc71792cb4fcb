"""NIfTI-1, gzip-compressed."""

import io
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import numpy.typing as npt

from custom.errors import BadInput
from custom.stack.writers.encoder import Encoder, Layout
from custom.stack.writers.gzip_stream import GzipStream

LONGEST_AXIS = 32767  # NIfTI-1 counts voxels in 16-bit signed integers


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
    """The header, the voxel size in mm; without one, zooms of 1 in unknown units."""
    header = nib.Nifti1Header(endianness="<")
    header.set_data_dtype(layout.dtype)
    header.set_data_shape(layout.shape[::-1])
    zooms = layout.spacing_mm or (1.0, 1.0, 1.0)
    header.set_zooms(zooms)
    # NIfTI points x and y to the right and the front, ITK to the left and the back: with these signs ITK and Slicer
    # lay the mask over the same stack read from TIFF, NRRD or MHA.
    affine = np.diag([-zooms[0], -zooms[1], zooms[2], 1.0])
    header.set_qform(affine, code="scanner")
    header.set_sform(affine, code="scanner")
    if layout.spacing_mm is not None:
        header.set_xyzt_units("mm")
    buffer = io.BytesIO()
    header.write_to(buffer)
    return buffer.getvalue()

"""Results on disk: `open_writer` takes a stack slab by slab and puts it under its final name only when it is whole."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from custom.base.errors import BadInput
from custom.stack.place import Place
from custom.stack.writers.encoder import Encoder, Layout
from custom.stack.writers.nifti import NiftiEncoder
from custom.stack.writers.nrrd import NrrdEncoder
from custom.stack.writers.tiff import TiffEncoder
from custom.stack.writers.tiff_folder import TiffFolderEncoder
from custom.stack.writers.writer import StackWriter
from custom.stack.writers.zarr import ZarrEncoder

__all__ = ["OUTPUT_FORMATS", "StackWriter", "open_writer"]

OUTPUT_FORMATS: Mapping[str, type[Encoder]] = {
    "zarr": ZarrEncoder,
    "tiff": TiffEncoder,
    "tiff_folder": TiffFolderEncoder,
    "nii.gz": NiftiEncoder,
    "nrrd": NrrdEncoder,
}


def open_writer(
    path: str | os.PathLike[str],
    output_format: str,
    shape: tuple[int, int, int],
    dtype: npt.DTypeLike,
    voxel_size_um: tuple[float, float, float] | None,
    overwrite: bool = False,
    place: Place | None = None,
    classes: Sequence[str] = (),
) -> StackWriter:
    """Open a new stack for writing, slab by slab, in memory that follows the slab; "zarr" holds 16 slices beside it.

    Args:
        path: where the result goes, without suffix: `OUT/mask` becomes `OUT/mask.zarr`, `OUT/mask.tif`,
            the folder `OUT/mask_tiff`, `OUT/mask.nii.gz` or `OUT/mask.nrrd`. The folder is made when it is missing.
        output_format: a key of `OUTPUT_FORMATS`.
        shape: (Z, Y, X).
        dtype: a real integer or float type of 8 to 32 bits, or float64.
        voxel_size_um: (z, y, x) in micrometres; None when unknown, and then no file states one.
        place: where the voxels lie, as an opened stack has it, with voxels of the size given; the formats with a place
            (zarr, nii.gz, nrrd) state it. Without one they state the size alone, as ITK has it for a stack without place.
        classes: names of the values 1, 2, ..., where the voxels are classes. Of several the file says names and colours, and
            no overview loses one to another.
        overwrite: an existing result may be replaced; it stays as it is until the new one is whole.

    Raises:
        BadInput: unknown format; the folder cannot be written to; the result exists already; the format cannot
            hold this shape.
        ValueError: `shape`, `dtype` or `voxel_size_um` is none that a stack can have.
    """
    if output_format not in OUTPUT_FORMATS:
        raise BadInput(f"Unknown output format {output_format!r}: give --output_format {', '.join(OUTPUT_FORMATS)}.")
    layout = Layout(Path(path).name, shape, np.dtype(dtype), voxel_size_um, place, tuple(classes))
    return StackWriter(Path(path), OUTPUT_FORMATS[output_format], layout, overwrite)

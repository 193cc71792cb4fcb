"""The one way to open a stack: the suffix decides the reader."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from custom.errors import BadInput
from custom.stack.folder import open_folder
from custom.stack.mha import open_mha
from custom.stack.nifti import open_nifti
from custom.stack.npy import open_npy
from custom.stack.nrrd import open_nrrd
from custom.stack.stack import Stack
from custom.stack.tiff import open_tiff
from custom.stack.units import given_voxel_size

# A new file format is one more line here. A format that is a folder (with a suffix, such as .zarr) goes in the same way
# into the choice that `_opener` makes for folders.
OPENERS: dict[str, Callable[[Path], Stack]] = {
    ".tif": open_tiff,
    ".tiff": open_tiff,
    ".nii": open_nifti,
    ".nii.gz": open_nifti,
    ".nrrd": open_nrrd,
    ".nhdr": open_nrrd,
    ".mha": open_mha,
    ".mhd": open_mha,
    ".npy": open_npy,
}


def open_stack(path: str | os.PathLike[str], voxel_size_um: float | Sequence[float] | None = None) -> Stack:
    """Open a stack lazily: headers are read, voxels are not.

    Args:
        path: a folder of 2-D TIFF slices, or one file with a suffix of `OPENERS` (in any case).
        voxel_size_um: replaces what the file states; one number for cubes, or three for (z, y, x), in micrometres.

    Returns:
        The stack with axes (Z, Y, X), the same for the same volume in every format.

    Raises:
        BadInput: missing, empty, of an unknown suffix, damaged, or not one grey volume; or an unusable `voxel_size_um`.
    """
    path = Path(path)
    stack = _opener(path)(path)
    if voxel_size_um is not None:
        stack.voxel_size = given_voxel_size(path, voxel_size_um)
    return stack


def _opener(path: Path) -> Callable[[Path], Stack]:
    if path.is_dir():
        return open_folder
    if not path.exists():
        raise BadInput(f"{path}: does not exist; check the path.")
    name = path.name.lower()
    for suffix, opener in OPENERS.items():
        if name.endswith(suffix):
            if not path.stat().st_size:
                raise BadInput(f"{path}: is empty (0 bytes); copy it again from its source.")
            return opener
    raise BadInput(
        f"{path}: its format is not known by its suffix; give a folder of TIFF slices or one of {', '.join(OPENERS)}."
    )

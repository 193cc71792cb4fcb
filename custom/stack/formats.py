"""The file formats of stacks: one list, and what follows from it for names of files."""

from collections.abc import Iterable
from pathlib import Path

from custom.stack.format import Format
from custom.stack.hdf5 import FORMAT as HDF5
from custom.stack.mha import FORMAT as META_IMAGE
from custom.stack.nifti import FORMAT as NIFTI
from custom.stack.npy import FORMAT as NPY
from custom.stack.nrrd import FORMAT as NRRD
from custom.stack.scanners.amira import FORMAT as AMIRA
from custom.stack.scanners.dicom import FORMAT as DICOM
from custom.stack.scanners.edf import FORMAT as EDF
from custom.stack.scanners.mrc import FORMAT as MRC
from custom.stack.scanners.pcr import FORMAT as GE
from custom.stack.scanners.pictures import FORMAT as PICTURES
from custom.stack.scanners.raw import FORMAT as RAW
from custom.stack.scanners.txm import FORMAT as ZEISS
from custom.stack.scanners.vgi import FORMAT as VGI
from custom.stack.tiff import FORMAT as TIFF
from custom.stack.zarr import FORMAT as ZARR

# A new format is its own module and its name here.
FORMATS: tuple[Format, ...] = (
    *(TIFF, NIFTI, NRRD, META_IMAGE, NPY, HDF5, ZARR),
    *(PICTURES, DICOM, EDF, MRC, ZEISS, VGI, GE, AMIRA, RAW),
)


def suffixes() -> tuple[str, ...]:
    """The suffixes of all formats, in their order."""
    return tuple(suffix for known in FORMATS for suffix in known.suffixes)


def suffixes_of_volumes() -> tuple[str, ...]:
    """The suffixes by which a file is surely a stack and no slice of one."""
    return tuple(
        suffix for known in FORMATS if not known.slices for suffix in known.suffixes if suffix not in known.shared
    )


def has_suffix(path: Path, some: tuple[str, ...]) -> bool:
    """Whether the name ends with one of the suffixes, in any case."""
    return path.name.lower().endswith(some)


def format_of_name(path: Path) -> Format | None:
    """The format that the suffix of a file says, if it is one of ours."""
    return next((known for known in FORMATS if has_suffix(path, known.suffixes)), None)


def format_of_folder(folder: Path) -> Format | None:
    """The format that a folder is of as a whole; None: at most it holds slices."""
    return next((known for known in FORMATS if known.owns_folder and known.owns_folder(folder)), None)


def parts_of(path: Path) -> list[Path]:
    """The files that the name stands for, where it is that of several, such as an HDF5 family; else none."""
    return [part for known in FORMATS if known.parts for part in known.parts(path)]


def stem_of(path: Path) -> str:
    """The name without its suffix; `.nii.gz` and `.zarr.zip` count as one suffix, and a folder `cell_1.5um` has none."""
    known = [suffix for suffix in suffixes() if path.name.lower().endswith(suffix)]
    suffix = max(known, key=len, default="" if path.is_dir() else path.suffix)
    return path.name[: len(path.name) - len(suffix)]


def without_companions(paths: Iterable[Path]) -> list[Path]:
    """The files of one folder without voxels that a header among them describes."""
    paths = list(paths)
    split = [known for known in FORMATS if known.headers and any(has_suffix(path, known.headers) for path in paths)]
    detached = tuple(suffix for known in split for suffix in known.companions)
    return [path for path in paths if not has_suffix(path, detached)]


def only_array(path: Path) -> str | None:
    """The path within the file of the only array of numbers in it; None where `open_stack` needs no such help.

    That is where the usual one is there, where several arrays are or links that may lead to some, in other formats.

    Raises:
        BadInput: the file is damaged.
    """
    known = format_of_name(path) if path.is_file() else None
    return known.only_array(path) if known and known.only_array else None

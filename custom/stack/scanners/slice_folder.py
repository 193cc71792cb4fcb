"""A folder of 2-D slices of a kind other than TIFF: PNG, BMP, JPEG 2000, EDF, DICOM."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from custom.base.errors import BadInput
from custom.stack.axes import find_axes
from custom.stack.clutter import is_clutter, refuse_what_is_no_file
from custom.stack.faults import refusing_damage
from custom.stack.numbering import check_names, natural_key
from custom.stack.scanners.one_by_one import FileBySlice
from custom.stack.scanners.skyscan import skyscan_log, without_preview
from custom.stack.selection import Selection
from custom.stack.tiff import FORMAT as TIFF
from custom.stack.units import VoxelSize, first_stated

_KINDS = ((".png",), (".bmp",), (".jp2", ".j2k"), (".edf",), (".dcm", ".ima"))


@dataclass(frozen=True)
class Header:
    """What a file of one slice says of it: size (Y, X), stored type and voxel size."""

    shape: tuple[int, int]
    dtype: np.dtype
    voxel_size: VoxelSize | None = None


@dataclass(frozen=True)
class SliceKind:
    """A kind of 2-D files.

    Attributes:
        suffixes: in lower case.
        header: reads a file's header; its second argument says whether the file holds labels.
        read: reads a file's voxels, (Y, X).
    """

    suffixes: tuple[str, ...]
    header: Callable[[Path, bool], Header]
    read: Callable[[Path], np.ndarray]


def files_of(folder: Path, suffixes: Sequence[str]) -> list[Path]:
    """The files of these suffixes in a folder, in natural order; what desktops leave there is passed over."""
    with refusing_damage(folder):
        files = [path for path in folder.iterdir() if path.suffix.lower() in suffixes and not is_clutter(path)]
    return sorted(files, key=natural_key)


def owns(suffixes: tuple[str, ...]) -> Callable[[Path], bool]:
    """Whether a folder holds slices of these suffixes and none that are TIFF, beside which they are mere pictures."""

    def of_this_kind(folder: Path) -> bool:
        try:
            found = {path.suffix.lower() for path in folder.iterdir() if not path.is_dir() and not is_clutter(path)}
        except OSError:
            return False
        return not found.isdisjoint(suffixes) and found.isdisjoint(TIFF.suffixes)

    return of_this_kind


def slices_of(folder: Path, suffixes: tuple[str, ...]) -> list[Path]:
    """The slices of a folder that holds one kind of them.

    Raises:
        BadInput: it holds several kinds, or names that are not those of one stack.
    """
    kinds = {kind[0]: len(files) for kind in _KINDS if (files := files_of(folder, kind))}
    if len(kinds) > 1:
        words = " and ".join(f"{count} {suffix}" for suffix, count in kinds.items())
        raise BadInput(f"{folder}: holds slices of several kinds, {words}; keep those of one stack alone in a folder.")
    files = without_preview(folder, files_of(folder, suffixes))
    refuse_what_is_no_file(files)
    return files


def open_slice_folder(folder: Path, chosen: Selection, kind: SliceKind) -> FileBySlice:
    """Open the slices of a folder; the header of each is read, its voxels are not.

    Raises:
        BadInput: slices of several kinds, sizes or types, or names that are not those of one stack, see `check_names`.
    """
    files = slices_of(folder, kind.suffixes)
    check_names(folder, files)
    first = _header(files[0], kind, chosen)
    sizes = [first.voxel_size]
    for file in files[1:]:
        header = _header(file, kind, chosen)
        if (header.shape, header.dtype) != (first.shape, first.dtype):
            raise BadInput(
                f"{file}: is {_words(header)} but {files[0].name} is {_words(first)}; keep the slices of one stack alone in a "
                "folder."
            )
        sizes.append(header.voxel_size)
    find_axes(folder, (len(files), *first.shape), chosen)  # nothing is left to choose
    size = first_stated(*sizes, skyscan_log(folder, files))
    return FileBySlice(folder, files, first.shape, first.dtype, size, kind.read)


def _header(file: Path, kind: SliceKind, chosen: Selection) -> Header:
    if not file.stat().st_size:
        raise BadInput(f"{file}: is empty (0 bytes); copy it again from its source or take it out of the folder.")
    with refusing_damage(file):
        return kind.header(file, chosen.labels)


def _words(header: Header) -> str:
    return f"{header.shape[1]} x {header.shape[0]} pixels of {header.dtype}"

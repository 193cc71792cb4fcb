"""A folder of 2-D files, a slice each, whatever their format: TIFF, PNG, BMP, JPEG 2000, EDF."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from custom.base.errors import BadInput
from custom.stack.axes import find_axes
from custom.stack.clutter import is_clutter, refuse_what_is_no_file
from custom.stack.faults import refusing_damage
from custom.stack.numbering import check_names, natural_key
from custom.stack.one_by_one import FileBySlice
from custom.stack.scanners.skyscan import skyscan_log
from custom.stack.selection import Selection
from custom.stack.tiff import FORMAT as TIFF
from custom.stack.units import VoxelSize, first_stated

KINDS = ((".png",), (".bmp",), (".jp2", ".j2k"), (".edf",), (".dcm", ".ima"))  # beside TIFF


@dataclass(frozen=True)
class Header:
    """What a file of one slice says of it.

    Attributes:
        shape: (Y, X).
        dtype: as stored.
        read: reads the voxels, (Y, X) of that type; picklable.
        voxel_size: None where the file states none.
    """

    shape: tuple[int, int]
    dtype: np.dtype
    read: Callable[[], np.ndarray]
    voxel_size: VoxelSize | None = None


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
        BadInput: it holds several kinds, or one of them is a link to nothing.
    """
    found = files_of(folder, [suffix for kind in KINDS for suffix in kind])
    of_kinds = {kind[0]: [file for file in found if file.suffix.lower() in kind] for kind in KINDS}
    several = [f"{len(files)} {suffix}" for suffix, files in of_kinds.items() if files]
    if len(several) > 1:
        raise BadInput(
            f"{folder}: holds slices of several kinds, {' and '.join(several)}; keep those of one stack alone in a folder."
        )
    files = [file for file in found if file.suffix.lower() in suffixes]
    refuse_what_is_no_file(files)
    return files


def open_slice_folder(
    folder: Path, files: Sequence[Path], header: Callable[[Path, bool], Header], chosen: Selection
) -> FileBySlice:
    """Open the slices of a folder; the header of each is read, its voxels are not.

    Args:
        folder: where they are.
        files: the slices, one at least, in their order.
        header: reads the header of a file; the bool tells whether the stack holds labels.
        chosen: of which nothing is left to choose.

    Raises:
        BadInput: slices that differ in size or type, or names that are not those of one stack, see `check_names`.
    """
    check_names(folder, files)
    headers = [_header(files[0], header, chosen)]
    first = headers[0]
    for file in files[1:]:
        other = _header(file, header, chosen)
        if (other.shape, other.dtype) != (first.shape, first.dtype):
            raise BadInput(
                f"{file}: is {_words(other)} but {files[0].name} is {_words(first)}; keep the slices of one stack alone in a "
                "folder."
            )
        size = other.voxel_size
        headers.append(replace(other, voxel_size=size and replace(size, source=f"{size.source} of {file.name}")))
    find_axes(folder, (len(files), *first.shape), chosen)  # nothing is left to choose
    size = first_stated(*(one.voxel_size for one in headers), skyscan_log(folder, files))
    return FileBySlice(folder, files, first.shape, first.dtype, size, [one.read for one in headers])


def _header(file: Path, header: Callable[[Path, bool], Header], chosen: Selection) -> Header:
    if not file.stat().st_size:
        raise BadInput(f"{file}: is empty (0 bytes); copy it again from its source or take it out of the folder.")
    with refusing_damage(file):
        return header(file, chosen.labels)


def _words(header: Header) -> str:
    return f"{header.shape[1]} x {header.shape[0]} pixels of {header.dtype}"

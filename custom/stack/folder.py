"""A folder of 2-D TIFF slices, in natural order: slice_9.tif comes before slice_10.tif."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from tifffile import TiffFile

from custom.base.errors import BadInput
from custom.stack.axes import find_axes
from custom.stack.faults import refusing_damage
from custom.stack.format import Format
from custom.stack.numbering import check_names
from custom.stack.scanners.skyscan import skyscan_log, without_preview
from custom.stack.selection import Selection
from custom.stack.slice_files import look_at_the_rest, slice_files
from custom.stack.stack import Stack
from custom.stack.tiff_directories import read_directories, slice_pages
from custom.stack.tiff_layout import check_pages
from custom.stack.tiff_page import check_white_is_zero, page_at, page_values
from custom.stack.tiff_parts import check_parts
from custom.stack.tiff_voxel import tiff_voxel_size
from custom.stack.units import VoxelSize, first_stated


def open_folder(path: Path, chosen: Selection) -> Stack:
    """Open the TIFF slices of a folder (.tif, .tiff in any case); other files, hidden files and folders are passed over.

    The header of every slice is read, its voxels are not.

    Raises:
        BadInput: no slice, a slice that differs in size or type from the first, or one that is no grey 2-D slice; names
            that are not those of one stack, see `check_names`.
    """
    files = without_preview(path, slice_files(path))
    look_at_the_rest(path, files)
    check_names(path, files)
    shape, dtype, voxel_size, page = _inspect(files[0], chosen.labels)
    sizes, pages = [voxel_size], [page]
    for file in files[1:]:
        other_shape, other_dtype, other_size, page = _inspect(file, chosen.labels)
        if (other_shape, other_dtype) != (shape, dtype):
            raise BadInput(
                f"{file}: is {_words(other_shape, other_dtype)} but {files[0].name} is {_words(shape, dtype)}; "
                "keep the slices of one stack alone in a folder."
            )
        pages.append(page)
        sizes.append(other_size and replace(other_size, source=f"{other_size.source} of {file.name}"))
    find_axes(path, (len(files), *shape), chosen)  # nothing is left to choose
    return FolderStack(path, files, pages, shape, dtype, first_stated(*sizes, skyscan_log(path, files)))


class FolderStack(Stack):
    """Opens each slice's file for the moment of its reading."""

    def __init__(
        self,
        path: Path,
        files: list[Path],
        pages: list[int],
        shape: tuple[int, int],
        dtype: np.dtype,
        voxel_size: VoxelSize | None,
    ) -> None:
        super().__init__(path, (len(files), *shape), dtype, voxel_size)
        self.files = files
        self._pages = pages  # which page of each file is the slice

    def _read(self, start: int, stop: int) -> np.ndarray:
        slices = np.empty((stop - start, *self.shape[1:]), self.dtype)
        for z in range(start, stop):
            with refusing_damage(self.files[z]), TiffFile(self.files[z]) as tiff:
                slices[z - start] = page_values(page_at(tiff, self._pages[z]))
        return slices


def _inspect(file: Path, labels: bool) -> tuple[tuple[int, int], np.dtype, VoxelSize | None, int]:
    """Size (Y, X), type and voxel size of one slice, from its header, and which page of the file it is."""
    if not file.stat().st_size:
        raise BadInput(f"{file}: is empty (0 bytes); copy it again from its source or take it out of the folder.")
    pages = slice_pages(read_directories(file))
    with refusing_damage(file), TiffFile(file) as tiff:
        page = page_at(tiff, pages[0])
        check_pages(file, page)
        if len(pages) > 1 or len(page.shape) != 2:
            raise BadInput(
                f"{file}: holds several slices; a folder takes one slice a file, so take it out and give it alone."
            )
        check_white_is_zero(file, page, labels)
        check_parts(file, [page], labels)
        return (page.imagelength, page.imagewidth), np.dtype(page.dtype), tiff_voxel_size(tiff, page), pages[0]


def _words(shape: tuple[int, int], dtype: np.dtype) -> str:
    return f"{shape[1]} x {shape[0]} pixels of {dtype}"


FORMAT = Format("folder of TIFF slices", (), open_folder)

"""A folder of 2-D TIFF slices, in natural order: slice_9.tif comes before slice_10.tif."""

from functools import partial
from pathlib import Path

import numpy as np
from tifffile import TiffFile

from custom.base.errors import BadInput
from custom.stack.format import Format
from custom.stack.scanners.skyscan import without_preview
from custom.stack.selection import Selection
from custom.stack.slice_files import look_at_the_rest, slice_files
from custom.stack.slice_folder import Header, open_slice_folder
from custom.stack.stack import Stack
from custom.stack.tiff_directories import read_directories, slice_pages
from custom.stack.tiff_layout import check_pages
from custom.stack.tiff_page import check_white_is_zero, page_at, page_values
from custom.stack.tiff_parts import check_parts
from custom.stack.tiff_voxel import tiff_voxel_size


def open_folder(path: Path, chosen: Selection) -> Stack:
    """Open the TIFF slices of a folder (.tif, .tiff in any case); other files, hidden files and folders are passed over.

    Raises:
        BadInput: no slice, a slice that differs in size or type from the first, or one that is no grey 2-D slice; names
            that are not those of one stack, see `check_names`.
    """
    files = without_preview(path, slice_files(path))
    look_at_the_rest(path, files)
    return open_slice_folder(path, files, _header, chosen)


def _header(file: Path, labels: bool) -> Header:
    pages = slice_pages(read_directories(file))
    with TiffFile(file) as tiff:
        page = page_at(tiff, pages[0])
        check_pages(file, page)
        if len(pages) > 1 or len(page.shape) != 2:
            raise BadInput(
                f"{file}: holds several slices; a folder takes one slice a file, so take it out and give it alone."
            )
        check_white_is_zero(file, page, labels)
        check_parts(file, [page], labels)
        shape, dtype = (page.imagelength, page.imagewidth), np.dtype(page.dtype)
        return Header(shape, dtype, partial(_read, file, pages[0]), tiff_voxel_size(tiff, page))


def _read(file: Path, number: int) -> np.ndarray:
    with TiffFile(file) as tiff:
        return page_values(page_at(tiff, number))


FORMAT = Format("folder of TIFF slices", (), open_folder)

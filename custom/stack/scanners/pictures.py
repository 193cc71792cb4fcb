"""PNG, BMP and JPEG 2000, as SkyScan scanners and labelling programs write slices: single ones, or folders of them."""

from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from custom.base.errors import BadInput
from custom.stack.axes import find_axes
from custom.stack.faults import refusing_damage
from custom.stack.format import Format
from custom.stack.one_by_one import FileBySlice
from custom.stack.scanners.skyscan import without_preview
from custom.stack.selection import Selection
from custom.stack.slice_folder import Header, open_slice_folder, owns, slices_of
from custom.stack.stack import Stack

_SUFFIXES = (".png", ".bmp", ".jp2", ".j2k")
# what Pillow calls the pixels: bits, grey values of 8, 16 and 32 bits, and numbers into a table of colours
_DTYPES = {"1": "u1", "L": "u1", "I;16": "u2", "I;16L": "u2", "I;16B": "u2", "I": "i4"}
_TABLE = "P"


def open_picture(path: Path, chosen: Selection) -> Stack:
    """Open one picture as a stack of one slice, or a folder of them.

    Raises:
        BadInput: damaged, coloured, or slices that are not of one stack.
    """
    if path.is_dir():
        return open_slice_folder(path, without_preview(path, slices_of(path, _SUFFIXES)), _header, chosen)
    with refusing_damage(path):
        header = _header(path, chosen.labels)
    find_axes(path, header.shape, chosen)  # nothing to choose
    return FileBySlice(path, [path], header.shape, header.dtype, None, [header.read])


def _header(path: Path, labels: bool) -> Header:
    with Image.open(path) as picture:
        mode, (x, y) = picture.mode, picture.size
    if labels and mode == _TABLE:  # labels are often drawn as numbers into a table of colours
        return Header((y, x), np.dtype("u1"), partial(_read, path))
    if mode not in _DTYPES:
        raise BadInput(f"{path}: is coloured ({mode}); save it as grey values of 8 or 16 bits.")
    return Header((y, x), np.dtype(_DTYPES[mode]), partial(_read, path))


def _read(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture)


FORMAT = Format("PNG, BMP, JPEG 2000", _SUFFIXES, open_picture, slices=True, owns_folder=owns(_SUFFIXES))

"""The values of one TIFF page, where 0 may be stored for white."""

from pathlib import Path
from typing import cast

import numpy as np
from tifffile import PHOTOMETRIC, TiffFile, TiffFrame, TiffPage

from custom.base.errors import BadInput
from custom.stack.warn import warn_once


def page_at(tiff: TiffFile, number: int) -> TiffPage:
    """A page with all its tags: tifffile makes frames, which have none, for its series alone."""
    return cast(TiffPage, tiff.pages[number])


def page_values(page: TiffPage | TiffFrame) -> np.ndarray:
    """The values of a page, (Y, X), decompressed.

    A page of 1 bit that is stored WhiteIsZero, as fax compression has it, is turned round: its white is 1, as Pillow,
    OpenCV and every viewer have it. Of 8 and more bits the stored value counts, as it does for ImageJ, which writes them
    so where an image is shown with an inverting table.
    """
    values: np.ndarray = page.asarray()
    return ~values if _white_is_zero(page) and values.dtype == bool else values


def check_white_is_zero(path: Path, page: TiffPage | TiffFrame, labels: bool) -> None:
    """Say once for a folder that values of more than 1 bit are taken as stored although some viewers show the negative.

    Args:
        path: of the file.
        page: its first one.
        labels: whether it holds labels.

    Raises:
        BadInput: a mask of 1 bit by tifffile, which stores every array of bool WhiteIsZero, with True as 1: Python gives
            out as True what viewers show as black, and nobody but its writer knows which of them is lithium.
    """
    if not _white_is_zero(page):
        return
    if page.dtype != bool:
        warn_once(
            f"{path.parent}: TIFF files of type {page.dtype} in it are stored WhiteIsZero; the stored "
            "values are taken, as ImageJ does, and not the negative that some viewers show: invert them if that is meant."
        )
    elif labels and getattr(page.keyframe, "software", "") == "tifffile.py":
        raise BadInput(
            f"{path}: is a mask of 1 bit in which Python finds True where viewers show black, as tifffile writes arrays of bool, "
            "so that either may be lithium; write it anew with 8 bits, tifffile.imwrite(name, mask.astype('uint8')), where "
            "mask is True for lithium."
        )


def _white_is_zero(page: TiffPage | TiffFrame) -> bool:
    return getattr(page.keyframe, "photometric", None) == PHOTOMETRIC.MINISWHITE

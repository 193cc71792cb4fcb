"""The values of one TIFF page, where 0 may be stored for white."""

from pathlib import Path
from typing import cast

import numpy as np
from tifffile import PHOTOMETRIC, TiffFile, TiffFrame, TiffPage

from custom.stack.warn import warn_once


def page_at(tiff: TiffFile, number: int) -> TiffPage:
    """A page with all its tags: tifffile makes frames, which have none, for its series alone."""
    return cast(TiffPage, tiff.pages[number])


def page_values(page: TiffPage | TiffFrame) -> np.ndarray:
    """The values of a page, (Y, X), decompressed.

    A page of 1 bit that is stored WhiteIsZero, as fax compression has it, is turned round: its white is 1, as Pillow,
    OpenCV and every viewer have it. Not so what tifffile wrote: it stores every array of bool so, with True as 1. Of 8 and
    more bits the stored value counts, as it does for ImageJ, which writes them so where an image is shown with an
    inverting table.
    """
    values: np.ndarray = page.asarray()
    return ~values if _white_is_zero(page) and values.dtype == bool and not _by_tifffile(page) else values


def note_white_is_zero(path: Path, page: TiffPage | TiffFrame) -> None:
    """Say once for a folder that values are taken as stored although some viewers show the negative."""
    if _white_is_zero(page) and (page.dtype != bool or _by_tifffile(page)):
        whose = "as ImageJ does" if page.dtype != bool else "as tifffile, which wrote them, means it"
        warn_once(
            f"{path.parent}: TIFF files of type {page.dtype} in it are stored WhiteIsZero; the stored "
            f"values are taken, {whose}, and not the negative that some viewers show: invert them if that is meant."
        )


def _white_is_zero(page: TiffPage | TiffFrame) -> bool:
    return getattr(page.keyframe, "photometric", None) == PHOTOMETRIC.MINISWHITE


def _by_tifffile(page: TiffPage | TiffFrame) -> bool:
    return getattr(page.keyframe, "software", "") == "tifffile.py"

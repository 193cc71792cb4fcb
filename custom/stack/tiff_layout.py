"""What must hold of a TIFF page before it is read as a grey slice; from headers alone."""

import copy
from collections.abc import Sequence
from pathlib import Path

from tifffile import PHOTOMETRIC, PLANARCONFIG, TiffFrame, TiffPage

from custom.base.errors import BadInput
from custom.stack.tiff_description import written_shape
from custom.stack.tiff_directories import cut_short
from custom.stack.warn import warn_once

_COLOURS = {"RGB", "CMYK", "YCBCR", "CIELAB", "ICCLAB", "ITULAB"}


def check_pages(path: Path, first: TiffPage, pages: Sequence[TiffPage | TiffFrame] = ()) -> None:
    """See that the first page is grey, of a known type, and that the strips or tiles of all lie inside the file.

    Raises:
        BadInput: colour, several samples a voxel, no voxels, an unknown type, or cut short.
    """
    if (_photometric(first) in _COLOURS or first.samplesperpixel > 1) and not _are_slices(first):
        raise colour(path, first)
    if first.dtype is None:
        raise BadInput(f"{path}: its voxel type ({first.bitspersample} bits) is not read; save it as 8 or 16 bit.")
    size = first.parent.filehandle.size
    for page in (first, *pages):
        if not page.dataoffsets:
            raise BadInput(f"{path}: has a page without voxels; export it anew.")
        strips = zip(page.dataoffsets, page.databytecounts, strict=False)
        if any(offset + count > size for offset, count in strips):
            raise cut_short(path)


def colour(path: Path, page: TiffPage) -> BadInput:
    """The refusal of a page with several samples a pixel."""
    return BadInput(
        f"{path}: is a colour image ({_photometric(page)}, {page.samplesperpixel} samples a pixel); save it as a grey image."
    )


def _photometric(page: TiffPage) -> str:
    return getattr(page.photometric, "name", str(page.photometric))


def _are_slices(page: TiffPage) -> bool:
    """Whether the samples of a page are slices, stored one after another as the planes of a colour.

    tifffile, and scikit-image and imageio with it, store an array of 3 or 4 slices so. Photographs are of 8 bit; of
    these only tifffile's own word, that the first axis has the length of the samples, tells.
    """
    if (
        page.samplesperpixel < 2
        or page.planarconfig != PLANARCONFIG.SEPARATE
        or _photometric(page) not in ("RGB", "MINISBLACK")
    ):
        return False
    return page.dtype != "uint8" or _is_an_array(page)


def planes_of(path: Path, pages: Sequence[TiffPage]) -> list[TiffPage]:
    """The planes of pages with several samples as grey pages of their own, which is said once, and the pages with one.

    Raises:
        BadInput: colour; of several such pages each has to begin an array of its own, as tifffile appends them.
    """
    for page in pages:
        several = page.samplesperpixel > 1 and len(pages) > 1
        if several and not (_are_slices(page) and _is_an_array(page)):
            raise colour(path, page)
    planes = [plane for page in pages for plane in (_planes(page) if page.samplesperpixel > 1 else [page])]
    number = pages[0].samplesperpixel
    warn_once(
        f"{path}: its {len(planes)} slices are stored as the planes of {'a colour image' if len(pages) == 1 else 'colour images'}, "
        f"as tifffile and scikit-image do with {number} slices; they are read as slices."
    )
    return planes


def _is_an_array(page: TiffPage) -> bool:
    """Whether tifffile has written the samples of the page as an array of so many slices."""
    return written_shape(page) == [page.samplesperpixel, page.imagelength, page.imagewidth]


def _planes(page: TiffPage) -> list[TiffPage]:
    number = page.samplesperpixel
    strips = len(page.dataoffsets) // number
    planes = []
    for i in range(number):
        plane = copy.copy(page)
        plane.dataoffsets = page.dataoffsets[i * strips : (i + 1) * strips]
        plane.databytecounts = page.databytecounts[i * strips : (i + 1) * strips]
        plane.samplesperpixel, plane.extrasamples, plane.photometric = 1, (), PHOTOMETRIC.MINISBLACK
        plane.shape, plane.axes = (page.imagelength, page.imagewidth), "YX"
        plane.shaped = (1, *page.shaped[1:])
        planes.append(plane)
    return planes

"""What must hold of a TIFF page before it is read as a grey slice; from headers alone."""

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from tifffile import TiffFile, TiffFrame, TiffPage

from custom.errors import BadInput

_COLOURS = {"RGB", "CMYK", "YCBCR", "CIELAB", "ICCLAB", "ITULAB"}
_TYPE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}


def check_directories(path: Path) -> None:
    """Walk the chain of image file directories and see that it, and every value it points to, lies inside the file.

    tifffile stops silently where the chain is broken, so that a file cut short would open as a shorter stack.

    Raises:
        BadInput: not a TIFF file, or cut short.
    """
    size = path.stat().st_size
    with open(path, "rb") as file:
        header = file.read(16)
        endian = {b"II": "<", b"MM": ">"}.get(header[:2])
        if endian is None or header[2:4] not in (struct.pack(f"{endian}H", 42), struct.pack(f"{endian}H", 43)):
            raise BadInput(f"{path}: is not a TIFF file although it is named so; export it as TIFF.")
        if len(header) < 16:
            raise _cut_short(path)
        big = 43 in header[2:4]
        offset = struct.unpack(*((f"{endian}Q", header[8:16]) if big else (f"{endian}I", header[4:8])))[0]
        seen: set[int] = set()
        while offset and offset not in seen:
            seen.add(offset)
            offset = _next_directory(path, file, size, offset, endian, big)


def _next_directory(path: Path, file: BinaryIO, size: int, offset: int, endian: str, big: bool) -> int:
    """Check the directory at `offset` and return the offset of the next one, 0 after the last."""
    count_code, entry_code, offset_code = ("Q", "HHQQ", "Q") if big else ("H", "HHII", "I")
    inline = struct.calcsize(offset_code)
    entry = struct.Struct(endian + entry_code)
    try:
        file.seek(offset)
        (count,) = struct.unpack(endian + count_code, file.read(struct.calcsize(endian + count_code)))
        directory = file.read(count * entry.size + inline)
        (following,) = struct.unpack(endian + offset_code, directory[count * entry.size :])
    except (struct.error, OverflowError, MemoryError):
        raise _cut_short(path) from None
    for _, kind, values, where in entry.iter_unpack(directory[: count * entry.size]):
        length = values * _TYPE_BYTES.get(kind, 0)
        if length > inline and where + length > size:
            raise _cut_short(path)
    return int(following)


def check_pages(path: Path, tiff: TiffFile, pages: Sequence[TiffPage | TiffFrame]) -> None:
    """See that the pages are grey, of a known type, and that their strips or tiles lie inside the file.

    Raises:
        BadInput: colour, several samples a voxel, no voxels, an unknown type, or cut short.
    """
    first = tiff.pages.first
    photometric = getattr(first.photometric, "name", str(first.photometric))
    if photometric in _COLOURS or first.samplesperpixel > 1:
        raise BadInput(
            f"{path}: is a colour image ({photometric}, {first.samplesperpixel} samples a pixel); "
            "save it as a grey image."
        )
    if first.dtype is None:
        raise BadInput(f"{path}: its voxel type ({first.bitspersample} bits) is not read; save it as 8 or 16 bit.")
    size = tiff.filehandle.size
    for page in pages:
        if not page.dataoffsets:
            raise BadInput(f"{path}: has a page without voxels; export it anew.")
        strips = zip(page.dataoffsets, page.databytecounts, strict=False)
        if any(offset + count > size for offset, count in strips):
            raise _cut_short(path)


def check_imagej(path: Path, tiff: TiffFile) -> None:
    """See that all the slices are there that ImageJ announces, be it with one directory for all of them.

    Raises:
        BadInput: some are missing.
    """
    announced = int((tiff.imagej_metadata or {}).get("images", 1))
    first, found = tiff.pages.first, len(tiff.pages)
    if found == 1 and announced > 1:
        found = (tiff.filehandle.size - first.dataoffsets[0]) // first.nbytes
    if found < announced:
        raise BadInput(
            f"{path}: is cut short, it announces {announced} slices and holds {found}; copy it again from its source."
        )


def _cut_short(path: Path) -> BadInput:
    return BadInput(f"{path}: is cut short, it points to data beyond its end; copy it again from its source.")

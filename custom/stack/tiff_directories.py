"""The image file directories of a TIFF file, read without tifffile, which stops silently where their chain is broken."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from custom.base.errors import BadInput

_TYPE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_INLINE = {3: "H", 4: "I", 16: "Q"}
_KIND, _WIDTH, _LENGTH = 254, 256, 257
_REDUCED, _MASK = 1, 4


@dataclass(frozen=True)
class Directory:
    """One page, as its directory describes it.

    Attributes:
        kind: NewSubfileType, a set of bits: 1 for a reduced image, 4 for a mask.
        size: length and width in pixels.
        end: where the directory, or the last value that it points to, ends in the file.
    """

    kind: int
    size: tuple[int, int]
    end: int


def read_directories(path: Path) -> list[Directory]:
    """Walk the chain of directories and see that it, and every value it points to, lies inside the file.

    Raises:
        BadInput: not a TIFF file, one without an image, or cut short.
    """
    size = path.stat().st_size
    with open(path, "rb") as file:
        header = file.read(16)
        endian = {b"II": "<", b"MM": ">"}.get(header[:2])
        if endian is None or header[2:4] not in (struct.pack(f"{endian}H", 42), struct.pack(f"{endian}H", 43)):
            raise BadInput(f"{path}: is not a TIFF file although it is named so; export it as TIFF.")
        if len(header) < 16:
            raise cut_short(path)
        big = 43 in header[2:4]
        offset = struct.unpack(*((f"{endian}Q", header[8:16]) if big else (f"{endian}I", header[4:8])))[0]
        found: dict[int, Directory] = {}
        while offset and offset not in found:
            found[offset], offset = _directory(path, file, size, offset, endian, big)
    if not found:
        raise BadInput(f"{path}: holds no image; export it anew.")
    return list(found.values())


def _directory(path: Path, file: BinaryIO, size: int, offset: int, endian: str, big: bool) -> tuple[Directory, int]:
    """The directory at `offset`, and the offset of the next one, 0 after the last."""
    count_code, entry_code, offset_code = ("Q", "HHQQ", "Q") if big else ("H", "HHII", "I")
    inline = struct.calcsize(offset_code)
    entry = struct.Struct(endian + entry_code)
    try:
        file.seek(offset)
        (count,) = struct.unpack(endian + count_code, file.read(struct.calcsize(endian + count_code)))
        content = file.read(count * entry.size + inline)
        (following,) = struct.unpack(endian + offset_code, content[count * entry.size :])
    except (struct.error, OverflowError, MemoryError):
        raise cut_short(path) from None
    values = {_KIND: 0, _WIDTH: 0, _LENGTH: 0}
    end = file.tell()
    for tag, kind, number, where in entry.iter_unpack(content[: count * entry.size]):
        length = number * _TYPE_BYTES.get(kind, 0)
        if length > inline:
            end = max(end, where + length)
        elif tag in values and kind in _INLINE:
            (values[tag],) = struct.unpack_from(endian + _INLINE[kind], struct.pack(endian + offset_code, where))
    if end > size:
        raise cut_short(path)
    return Directory(values[_KIND], (values[_LENGTH], values[_WIDTH]), end), int(following)


def slice_pages(directories: Sequence[Directory]) -> list[int]:
    """Which pages are slices: all but the masks, and but the thumbnails, reduced copies smaller than the slices.

    Some writers call every page a reduced image, or all but the first.
    """
    pages = [i for i, page in enumerate(directories) if not page.kind & _MASK] or list(range(len(directories)))
    plain = {directories[i].size for i in pages if not directories[i].kind & _REDUCED}
    sizes = plain or {max(directories[i].size for i in pages)}
    return [i for i in pages if not directories[i].kind & _REDUCED or directories[i].size in sizes]


def cut_short(path: Path) -> BadInput:
    """The refusal of a file whose end is missing."""
    return BadInput(f"{path}: is cut short, it points to data beyond its end; copy it again from its source.")

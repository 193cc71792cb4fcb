"""MetaImage (.mha, and .mhd beside its data file), plain or compressed.

The header is a few lines of `key = value` (https://itk.org/Wiki/ITK/MetaIO/Documentation). It is parsed here, not by ITK,
because ITK decompresses from the first slice anew for every part that is read.
"""

from pathlib import Path

import numpy as np

from custom.base.errors import BadInput
from custom.stack.axes import Axes, find_axes
from custom.stack.block import Block, data_file, open_block
from custom.stack.faults import refusing_damage
from custom.stack.format import Format
from custom.stack.mha_place import mha_place, mha_voxel_size
from custom.stack.selection import Selection
from custom.stack.stack import Stack

_DTYPES = {
    "MET_CHAR": "i1",
    "MET_UCHAR": "u1",
    "MET_SHORT": "i2",
    "MET_USHORT": "u2",
    "MET_INT": "i4",
    "MET_UINT": "u4",
    "MET_LONG": "i4",
    "MET_ULONG": "u4",
    "MET_LONG_LONG": "i8",
    "MET_ULONG_LONG": "u8",
    "MET_FLOAT": "f4",
    "MET_DOUBLE": "f8",
}
_HEADER_BYTES = 1 << 16


def open_mha(path: Path, chosen: Selection) -> Stack:
    """Open a MetaImage file; its first axis is the fastest and becomes X, its unit is the millimetre.

    Raises:
        BadInput: damaged, cut short, text or several data files, colours or vectors, or not one volume.
    """
    with refusing_damage(path):
        header, start = _read_header(path)
        _refuse_foreign_layouts(path, header)
        axes = find_axes(path, [int(size) for size in header["DimSize"].split()][::-1], chosen)
        block = _locate(path, header, start, axes)
        voxel_size, place = mha_voxel_size(header, axes), mha_place(header, axes)
    stack = open_block(path, block, voxel_size)
    stack.place = place
    return stack


def _read_header(path: Path) -> tuple[dict[str, str], int]:
    """The header fields and the position just behind them; `ElementDataFile` is always the last field."""
    fields: dict[str, str] = {}
    with open(path, "rb") as file:
        while "ElementDataFile" not in fields:
            line = file.readline(_HEADER_BYTES).decode("utf-8", "surrogateescape")
            key, equals, value = line.partition("=")
            if not equals:
                raise ValueError("not a MetaImage header")
            fields[key.strip()] = value.strip()
        return fields, file.tell()


def _refuse_foreign_layouts(path: Path, header: dict[str, str]) -> None:
    if int(header.get("ElementNumberOfChannels", "1")) > 1:
        raise BadInput(f"{path}: has several channels a voxel (colour or vector); save one grey volume.")
    if header.get("BinaryData", "True").lower() != "true" or header["ElementType"] not in _DTYPES:
        raise BadInput(f"{path}: its voxels are text or {header['ElementType']}; save it as binary integers or floats.")
    if header["ElementDataFile"].split()[0] == "LIST" or "%" in header["ElementDataFile"]:
        raise BadInput(f"{path}: spreads its voxels over several data files; save it as one .mha file.")


def _locate(path: Path, header: dict[str, str], start: int, axes: Axes) -> Block:
    big_endian = header.get("BinaryDataByteOrderMSB", header.get("ElementByteOrderMSB", "False")).lower() == "true"
    dtype = np.dtype(_DTYPES[header["ElementType"]]).newbyteorder(">" if big_endian else "<")
    name = header["ElementDataFile"]
    file, offset = (path, start) if name.upper() == "LOCAL" else (data_file(path, name), 0)
    if header.get("CompressedData", "False").lower() == "true":
        return Block(file, offset, axes, dtype, "deflate")
    header_size = int(header.get("HeaderSize", "0"))
    if header_size == -1:  # the voxels end with the file
        return Block(file, max(file.stat().st_size - int(np.prod(axes.lengths)) * dtype.itemsize, 0), axes, dtype)
    return Block(file, offset + header_size, axes, dtype)


FORMAT = Format(
    "MetaImage", (".mha", ".mhd"), open_mha, headers=(".mhd",), companions=(".raw", ".zraw", ".raw.gz", ".raw.bz2")
)

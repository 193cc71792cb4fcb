"""Amira and Avizo meshes (.am): one lattice of voxels on a uniform grid, plain, zipped or in runs."""

import re
from pathlib import Path
from typing import Literal

import numpy as np

from custom.base.errors import BadInput
from custom.stack.axes import find_axes
from custom.stack.block import Block, Encoding, open_block
from custom.stack.faults import refusing_damage
from custom.stack.format import Format
from custom.stack.selection import Selection
from custom.stack.stack import Stack
from custom.stack.units import VoxelSize, stated_voxel_size

_HEADER_BYTES = 1 << 20
_FIRST_LINE = re.compile(r"#\s*(?:AmiraMesh|Avizo|HyperMesh)\b.*?\b(BINARY-LITTLE-ENDIAN|BINARY|ASCII)\b")
_SIZE = re.compile(r"\bdefine\s+Lattice\s+(\d+)\s+(\d+)\s+(\d+)")
_FIELD = re.compile(r"\bLattice\s*\{\s*(\w+)(\[\d+\])?\s+(\w+)\s*\}\s*=?\s*@(\d+)(?:\(\s*(\w+)\s*,\s*\d+\s*\))?")
_BOX = re.compile(r"\bBoundingBox\s+" + r"\s+".join([r"([-+.\deE]+)"] * 6))
_COORDINATES = re.compile(r'\bCoordType\s+"(\w+)"')
_UNIT = re.compile(r'\bCoordinates\s+"([^"]+)"')
_DTYPES = {"byte": "u1", "short": "i2", "ushort": "u2", "int": "i4", "float": "f4", "double": "f8"}
_ENCODINGS: dict[str | None, Encoding] = {None: "raw", "HxZip": "deflate", "HxByteRLE": "runs"}


def open_amira(path: Path, chosen: Selection) -> Stack:
    """Open an Amira mesh; its first axis is the fastest and becomes X.

    Raises:
        BadInput: damaged, cut short, text, vectors, several lattices, not on a uniform grid.
    """
    with refusing_damage(path):
        header, byteorder = _header(path)
        _check_grid(path, header)
        fields = _FIELD.findall(header)
        if len(fields) != 1:
            raise BadInput(f"{path}: holds {len(fields)} lattices of voxels where one is wanted; export one alone.")
        kind, vector, _, number, encoding = fields[0]
        if vector or kind not in _DTYPES or (encoding or None) not in _ENCODINGS:
            what = f"{kind}{vector}{f' in {encoding}' if encoding else ''}"
            raise BadInput(f"{path}: its voxels are {what}; export one grey volume, plain or zipped.")
        x, y, z = (int(length) for length in _size(header))
        axes = find_axes(path, (z, y, x), chosen)
        start = _start(path, number)
        block = Block(path, start, axes, np.dtype(_DTYPES[kind]).newbyteorder(byteorder), _ENCODINGS[encoding or None])
        return open_block(path, block, _voxel_size(header, (z, y, x)))


def _header(path: Path) -> tuple[str, Literal["<", ">"]]:
    with open(path, "rb") as file:
        text = file.read(_HEADER_BYTES).partition(b"\n@1")[0].decode("utf-8", "surrogateescape")
    first = _FIRST_LINE.search(text.partition("\n")[0])
    if first is None:
        raise ValueError("not an Amira mesh")
    if first[1] == "ASCII":
        raise BadInput(f"{path}: holds its voxels as text; export it as binary.")
    return text, "<" if first[1] == "BINARY-LITTLE-ENDIAN" else ">"


def _check_grid(path: Path, header: str) -> None:
    coordinates = _COORDINATES.search(header)
    kind = coordinates[1] if coordinates else "uniform"
    if kind != "uniform" or not _SIZE.search(header):
        what = f"is a lattice of {kind} coordinates" if _SIZE.search(header) else "holds no lattice of voxels"
        raise BadInput(f"{path}: {what}; resample it to a uniform lattice and export that.")


def _size(header: str) -> tuple[str, ...]:
    found = _SIZE.search(header)
    return found.groups() if found else ()


def _start(path: Path, number: str) -> int:
    """Where the voxels begin: behind the line of their number."""
    mark = re.compile(rb"\n@%s[ \t]*\r?\n" % number.encode())
    with open(path, "rb") as file:
        found = mark.search(file.read(_HEADER_BYTES))
    if found is None:
        raise ValueError(f"no data @{number}")
    return found.end()


def _voxel_size(header: str, lengths: tuple[int, int, int]) -> VoxelSize | None:
    """The box from the middle of the first voxel to that of the last; without a unit nothing is known."""
    box, unit = _BOX.search(header), _UNIT.search(header)
    if box is None or unit is None:
        return None
    ends = np.array([float(number) for number in box.groups()]).reshape(3, 2)[::-1]
    sizes = [float(high - low) / (n - 1) if n > 1 else None for (low, high), n in zip(ends, lengths, strict=True)]
    return stated_voxel_size(sizes, unit[1], "Amira header")


FORMAT = Format("Amira", (".am",), open_amira)

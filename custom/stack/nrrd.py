"""NRRD (.nrrd, and .nhdr beside its data file), encodings raw, gzip and bzip2."""

import io
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import nrrd
import numpy as np

from custom.base.errors import BadInput
from custom.stack.axes import Axes, find_axes
from custom.stack.block import Block, Encoding, data_file, open_block
from custom.stack.faults import refusing_damage
from custom.stack.format import Format
from custom.stack.nrrd_place import nrrd_place, nrrd_voxel_size
from custom.stack.segments import SegmentStack, corner_of, segments_of
from custom.stack.selection import Selection
from custom.stack.stack import Stack
from custom.stack.units import VoxelSize, in_um
from custom.stack.warn import warn_once

_ENCODINGS: dict[str, Encoding] = {
    "raw": "raw",
    "gzip": "deflate",
    "gz": "deflate",
    "bzip2": "bzip2",
    "bz2": "bzip2",
}
_COARSEST_UM = 100.0  # of a tomogram of a battery; what is above was hardly meant in mm
_LIST = re.compile(rb"data ?file:\s*LIST\b")
_SPATIAL_KINDS = {"domain", "space", "???", "none"}


def open_nrrd(path: Path, chosen: Selection) -> Stack:
    """Open an NRRD file; its first axis is the fastest and becomes X.

    Raises:
        BadInput: damaged, cut short, ASCII or several data files, colours or vectors, or not one volume.
    """
    with refusing_damage(path), open(path, "rb") as file:
        header = nrrd.read_header(_lines(path, file))
        start = file.tell()
        segments = segments_of(header) if chosen.labels and chosen.index is None else ()
        _refuse_foreign_layouts(path, header, layered=bool(segments))
        sizes = [int(size) for size in header["sizes"]][::-1]
        layers = sizes[3] if segments and len(sizes) == 4 else 1
        axes = find_axes(path, sizes, replace(chosen, index=(0,)) if layers > 1 else chosen)
        block = _locate(path, header, start, _side_by_side(axes) if layers > 1 else axes)
        voxel_size, place = nrrd_voxel_size(header, axes), nrrd_place(header, axes)
    if voxel_size is not None and not header.get("space units", header.get("units")):
        _warn_of_a_guessed_unit(path, voxel_size)
    stack = open_block(path, block, voxel_size)
    stack.place = place
    return SegmentStack(stack, segments, layers, corner_of(header)) if segments else stack


def _side_by_side(axes: Axes) -> Axes:
    """Of a volume whose last axis is that of layers: one with the layers of a voxel as so many voxels along x."""
    z, y, x, layers = axes.lengths
    return Axes((z, y, x * layers), 0, 1, 2, (0, 0, 0), axes.named)


def _lines(path: Path, file: IO[bytes]) -> Iterator[str]:
    """The header's lines, decoded: pynrrd drops what is not ASCII, and of "µm" an "m" is left."""
    for line in iter(file.readline, b""):
        if _LIST.match(line):
            raise _several_files(path)
        yield line.decode("utf-8", "surrogateescape")


def _several_files(path: Path) -> BadInput:
    return BadInput(f"{path}: spreads its voxels over several data files; save it as one .nrrd file.")


def _warn_of_a_guessed_unit(path: Path, size: VoxelSize) -> None:
    if max(size.um) > _COARSEST_UM:
        warn_once(
            f"{path}: states no unit of length, which ITK and 3D Slicer leave away for mm, so that its voxels are "
            f"{in_um(size.um)} um; give --voxel_size_um if they are not."
        )


def _refuse_foreign_layouts(path: Path, header: dict[str, Any], layered: bool) -> None:
    kinds = _SPATIAL_KINDS | {"list"} if layered else _SPATIAL_KINDS
    for kind, size in zip(header.get("kinds", []), header["sizes"], strict=False):
        if kind.lower() not in kinds and size > 1:
            raise BadInput(f"{path}: has an axis of kind {kind!r} (colour, vector or time); save one grey volume.")
    if header["encoding"].lower() not in _ENCODINGS:
        raise BadInput(f"{path}: its encoding {header['encoding']!r} is not read; save it as raw or gzip.")
    if "%" in str(header.get("data file", header.get("datafile", ""))):
        raise _several_files(path)


def _locate(path: Path, header: dict[str, Any], start: int, axes: Axes) -> Block:
    """Apply `data file`, `line skip` and `byte skip` in the order that the NRRD specification gives."""
    encoding = _ENCODINGS[header["encoding"].lower()]
    dtype = _dtype(header)
    name = header.get("data file", header.get("datafile"))
    file, offset = (path, start) if name is None else (data_file(path, name), 0)
    with open(file, "rb") as data:
        data.seek(offset)
        for _ in range(header.get("line skip", header.get("lineskip", 0))):
            data.readline()
        offset = data.tell()
    skip = header.get("byte skip", header.get("byteskip", 0))
    if encoding != "raw":
        return Block(file, offset, axes, dtype, encoding, max(skip, 0))
    if skip == -1:  # the voxels end with the file
        return Block(file, max(file.stat().st_size - int(np.prod(axes.lengths)) * dtype.itemsize, 0), axes, dtype)
    return Block(file, offset + skip, axes, dtype)


def _dtype(header: dict[str, Any]) -> np.dtype:
    # pynrrd gives the type away only with data, hence the reading of no voxels.
    nothing: dict[str, Any] = {key: header[key] for key in ("type", "endian") if key in header}
    nothing.update(encoding="raw", dimension=1, sizes=np.zeros(1, int))
    return nrrd.read_data(nothing, io.BytesIO()).dtype


FORMAT = Format(
    "NRRD", (".nrrd", ".nhdr"), open_nrrd, headers=(".nhdr",), companions=(".raw", ".zraw", ".raw.gz", ".raw.bz2")
)

"""Files of bare voxels (.vol, .raw, .bin, .dat): what lies beside them says how, or the command, or their own name."""

import re
from pathlib import Path

import numpy as np

from custom.base.errors import BadInput
from custom.stack.format import Format
from custom.stack.mha import open_mha
from custom.stack.nrrd import open_nrrd
from custom.stack.scanners.layout import Layout, dtype_of, shape_of
from custom.stack.scanners.sidecars import header_beside, layout_beside
from custom.stack.selection import Selection
from custom.stack.stack import Stack
from custom.stack.warn import warn_once

_SUFFIXES = (".vol", ".raw", ".bin", ".dat")
_SIZE = re.compile(r"(?<!\d)(\d+)[xX](\d+)[xX](\d+)(?!\d)")
_TYPE = re.compile(r"(?<![a-z])(u?int|float)(8|16|32|64)(?!\d)|(?<!\d)(8|16|32|64)[ _-]?bits?(?![a-z])", re.IGNORECASE)
_OF_BITS = {"8": "uint8", "16": "uint16", "32": "float32", "64": "float64"}  # as ImageJ counts


def open_raw(path: Path, chosen: Selection) -> Stack:
    """Open bare voxels, x the fastest.

    `--raw_shape` and `--raw_dtype` decide, else a sidecar (.vgi, .pcr, .info, .xml, .json, .mhd, .nhdr), else a name such as
    cell_1000x1000x500_16bit.raw: width, height and depth, little-endian, with a warning that says so.

    Raises:
        BadInput: nothing says how the voxels lie, or not in so many bytes.
    """
    layout = _given(path, chosen)
    if layout is None and (header := header_beside(path)):
        return (open_mha if header.suffix.lower() == ".mhd" else open_nrrd)(header, chosen)
    layout = layout or layout_beside(path) or _by_its_name(path)
    if layout is None:
        raise BadInput(
            f"{path}: nothing says how its voxels lie; put its sidecar (.vgi, .pcr, .info, .xml, .mhd, .nhdr) back beside it, or give "
            f'--raw_shape "[z,y,x]" and --raw_dtype uint16, or write {path.name}.json with "shape" and "dtype".'
        )
    return layout.open(path, path, chosen)


def _given(path: Path, chosen: Selection) -> Layout | None:
    if chosen.raw_shape is None and chosen.raw_dtype is None:
        return None
    if chosen.raw_shape is None or chosen.raw_dtype is None:
        missing = "--raw_shape" if chosen.raw_shape is None else "--raw_dtype"
        raise BadInput(
            f'{path}: {missing} is missing; give both, such as --raw_shape "[500,1000,1000]" --raw_dtype uint16.'
        )
    try:
        shape, dtype = shape_of(chosen.raw_shape), dtype_of(chosen.raw_dtype)
    except (TypeError, ValueError) as error:
        raise BadInput(
            f'{path}: {error}; give --raw_shape "[z,y,x]" and --raw_dtype as numpy calls it: uint8, uint16, int16, float32, or '
            ">u2 where the higher byte comes first."
        ) from error
    return Layout(shape, dtype, "--raw_shape with --raw_dtype")


def _by_its_name(path: Path) -> Layout | None:
    size, kind = _SIZE.search(path.name), _TYPE.search(path.name)
    if size is None:
        return None
    x, y, z = (int(length) for length in size.groups())
    if min(x, y, z) < 1:
        return None
    if kind is None:
        bits = path.stat().st_size * 8 // (x * y * z)
        name = _OF_BITS.get(str(bits), "uint8")
    else:
        name = _OF_BITS[kind[3]] if kind[3] else f"{kind[1]}{kind[2]}".lower()
    dtype: np.dtype = dtype_of(name)
    layout = Layout((z, y, x), dtype, "its name")
    warn_once(
        f"{path}: by its name it is {x} wide, {y} high and {z} slices deep, {name}, little-endian; give --raw_shape and "
        "--raw_dtype if it is not."
    )
    return layout


FORMAT = Format("raw", _SUFFIXES, open_raw, shared=(".bin", ".dat", ".vol", ".raw"), bare=True)

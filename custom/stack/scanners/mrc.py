"""MRC (.mrc, .rec, .map), as IMOD and programs of electron tomography write it, read with the package mrcfile.

Format: Cheng et al., "MRC2014", J. Struct. Biol. 192, 146 (2015), and for the sign of bytes IMOD's own description
(https://bio3d.colorado.edu/imod/doc/mrc_format.txt).
"""

from pathlib import Path

import numpy as np

from custom.base.errors import BadInput
from custom.stack.axes import find_axes
from custom.stack.block import Block, open_block
from custom.stack.faults import refusing_damage
from custom.stack.format import Format
from custom.stack.scanners.library import library
from custom.stack.selection import Selection
from custom.stack.stack import Stack
from custom.stack.units import VoxelSize, stated_voxel_size

_HEADER_BYTES = 1024
_DTYPES = {0: "i1", 1: "i2", 2: "f4", 6: "u2", 12: "f2"}
_IMOD_STAMP, _IMOD_AT = 1146047817, 152  # "IMOD", and the byte at which it stands; its flags follow
_LETTERS = {1: "x", 2: "y", 3: "z"}


def open_mrc(path: Path, chosen: Selection) -> Stack:
    """Open an MRC file; sections along another axis than z come turned, the unit of its cell is the angstrom.

    Raises:
        BadInput: damaged, cut short, complex or coloured, or mrcfile is not installed.
    """
    mrcfile = library(path, "mrcfile")
    with refusing_damage(path):
        with mrcfile.open(path, header_only=True) as opened:
            header = opened.header.copy()
        mode = int(header.mode)
        if mode not in _DTYPES:
            raise BadInput(
                f"{path}: its voxels are of MRC mode {mode}, which is not one of grey values (modes 0, 1, 2, 6 and 12); save it "
                "as one of these."
            )
        dtype = np.dtype("u1" if mode == 0 and _unsigned(header) else _DTYPES[mode])
        stored = [_LETTERS.get(int(axis), "") for axis in (header.maps, header.mapr, header.mapc)]
        lengths = (int(header.nz), int(header.ny), int(header.nx))
        axes = find_axes(path, lengths, chosen, stored if sorted(stored) == ["x", "y", "z"] else ["z", "y", "x"])
        offset = _HEADER_BYTES + int(header.nsymbt)
    return open_block(
        path, Block(path, offset, axes, dtype.newbyteorder(header.mode.dtype.byteorder)), _voxel_size(header)
    )


def _unsigned(header: np.recarray) -> bool:
    """Whether bytes run from 0 to 255: IMOD says so by a flag, all others mean -128 to 127."""
    stamp, flags = np.frombuffer(header.tobytes()[_IMOD_AT : _IMOD_AT + 8], header.mode.dtype)
    return bool(stamp == _IMOD_STAMP and not flags & 1)


def _voxel_size(header: np.recarray) -> VoxelSize | None:
    """The cell by its number of voxels, x, y and z whatever way they are stored; 1 angstrom is what writers put who know nothing."""
    cells = (header.cella.z / max(header.mz, 1), header.cella.y / max(header.my, 1), header.cella.x / max(header.mx, 1))
    sizes = [float(size) for size in cells]
    return None if all(size == 1 for size in sizes) else stated_voxel_size([s / 10 for s in sizes], "nm", "MRC header")


FORMAT = Format("MRC", (".mrc", ".rec", ".map"), open_mrc, shared=(".map", ".rec"))

"""NumPy .npy files, (Z, Y, X) or (Y, X), never unpickled."""

from pathlib import Path

import numpy as np

from custom.stack.axes import find_axes
from custom.stack.block import Block, open_block
from custom.stack.faults import refusing_damage
from custom.stack.format import Format
from custom.stack.selection import Selection
from custom.stack.stack import Stack


def open_npy(path: Path, chosen: Selection) -> Stack:
    """Open a .npy file; its voxel size is unknown.

    Raises:
        BadInput: damaged, cut short, holding Python objects, not of plain numbers, or not one volume.
    """
    with refusing_damage(path):
        mapped: np.memmap = np.load(path, mmap_mode="r", allow_pickle=False)
        # np.load understands every version of the header; only the place of the voxels is taken from it.
        offset, dtype, column_major = mapped.offset, mapped.dtype, mapped.flags.fnc
    axes = find_axes(path, mapped.shape, chosen)
    return open_block(path, Block(path, offset, axes, dtype, order="F" if column_major else "C"), None)


FORMAT = Format("NumPy", (".npy",), open_npy)

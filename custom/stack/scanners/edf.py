"""ESRF data format (.edf), read with the package fabio: a volume, a frame a slice, or a folder of single slices."""

import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from custom.base.errors import BadInput
from custom.stack.axes import find_axes
from custom.stack.block import Block, open_block
from custom.stack.faults import refusing_damage
from custom.stack.format import Format
from custom.stack.handle import Handle
from custom.stack.one_by_one import OneByOne
from custom.stack.scanners.library import library
from custom.stack.selection import Selection
from custom.stack.slice_folder import Header, files_of, open_slice_folder, owns, slices_of
from custom.stack.stack import Stack
from custom.stack.units import VoxelSize, stated_voxel_size

_SUFFIXES = (".edf",)
_OF_A_SCAN = ("ref", "dark")  # flat and dark fields that ESRF beamlines put beside projections


def open_edf(path: Path, chosen: Selection) -> Stack:
    """Open an EDF file, or a folder of EDF files of one slice each.

    Raises:
        BadInput: damaged, cut short, compressed, frames of different size or type, projections, or no fabio.
    """
    if path.is_dir():
        _refuse_projections(path)
        return open_slice_folder(path, slices_of(path, _SUFFIXES), _header, chosen)
    with refusing_damage(path):
        blocks, size = _blocks(path, chosen)
    if len(blocks) == 1:
        return open_block(path, blocks[0], size)
    for block in blocks:
        open_block(path, block, size)  # refuses what is cut short
    shape = (len(blocks), *blocks[0].axes.shape[1:])
    find_axes(path, shape, chosen)  # nothing is left to choose
    return OneByOne(path, shape, blocks[0].dtype, size, Handle(partial(_Frames, blocks)))


class _Frames:
    """Frames that lie one after another in a file, each behind a header of its own."""

    def __init__(self, blocks: Sequence[Block]) -> None:
        self._blocks = blocks

    def slice(self, z: int) -> np.ndarray:
        return _values(self._blocks[z])

    def close(self) -> None:
        """Nothing stays open."""


def _blocks(path: Path, chosen: Selection) -> tuple[list[Block], VoxelSize | None]:
    """Where the frames of a file lie, and their voxel size.

    fabio is asked for headers alone: it keeps each frame that it has read, and fills up with 0 what a file lacks.
    """
    with library(path, "fabio").open(str(path)) as image:
        frames = list(image.frames())  # getframe(0) of a file of one frame opens another file of the series
        if any(getattr(frame, "bfname", None) or "COMPRESSION" in map(str.upper, frame.header) for frame in frames):
            raise BadInput(f"{path}: is compressed, or its voxels lie in another file; save it as plain EDF.")
        if len({(frame.shape, frame.dtype) for frame in frames}) > 1:
            raise BadInput(f"{path}: its frames differ in size or type; save one stack alone in a file.")
        of_frames = chosen if len(frames) == 1 else Selection(labels=chosen.labels)
        axes = find_axes(path, frames[0].shape, of_frames)
        size = _voxel_size(frames[0].header)
        return [
            Block(path, frame.start, axes, np.dtype(frame.dtype).newbyteorder(frame.byteorder)) for frame in frames
        ], size


def _voxel_size(header: dict[str, Any]) -> VoxelSize | None:
    """PSize_1 and PSize_2, along x and y, in metres (https://www.silx.org/doc/fabio/latest/)."""
    try:
        x, y = (float(str(header[f"PSize_{axis}"]).split()[0]) for axis in (1, 2))
    except (KeyError, ValueError, IndexError):
        return None
    return stated_voxel_size([y, x], "m", "EDF header")


def _header(path: Path, labels: bool) -> Header:
    blocks, size = _blocks(path, Selection(labels=labels))
    if len(blocks) > 1 or blocks[0].axes.shape[0] > 1:
        raise BadInput(
            f"{path}: holds several slices; a folder takes one slice a file, so take it out and give it alone."
        )
    open_block(path, blocks[0], size)  # refuses what is cut short
    return Header(blocks[0].axes.shape[1:], blocks[0].dtype, partial(_values, blocks[0]), size)


def _values(block: Block) -> np.ndarray:
    count = math.prod(block.axes.shape)
    return np.fromfile(block.file, block.dtype, count, offset=block.offset).reshape(block.axes.shape[1:])


def _refuse_projections(folder: Path) -> None:
    beside = [file.name for file in files_of(folder, _SUFFIXES) if file.name.lower().startswith(_OF_A_SCAN)]
    if beside:
        raise BadInput(
            f"{folder}: holds flat or dark fields ({beside[0]}), as projections do; give the folder of reconstructed slices."
        )


FORMAT = Format("EDF", _SUFFIXES, open_edf, slices=True, owns_folder=owns(_SUFFIXES))

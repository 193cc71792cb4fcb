"""One TIFF file: a 2-D slice or a stack of pages, classic or BigTIFF, plain or compressed."""

import math
from functools import partial
from pathlib import Path

import numpy as np
from tifffile import TiffFile, TiffFrame, TiffPage, TiffPageSeries

from custom.errors import BadInput
from custom.stack.axes import Axes, find_axes
from custom.stack.block import Block, open_block
from custom.stack.faults import refusing_damage
from custom.stack.handle import Handle
from custom.stack.selection import Selection
from custom.stack.stack import Stack
from custom.stack.tiff_layout import check_directories, check_imagej, check_pages
from custom.stack.tiff_page import note_white_is_zero, page_values
from custom.stack.tiff_voxel import tiff_voxel_size
from custom.stack.units import VoxelSize


def open_tiff(path: Path, chosen: Selection) -> Stack:
    """Open one TIFF file; a stored ImageJ or OME description decides which pages are its slices.

    Raises:
        BadInput: damaged, cut short, colour, pages of different size or type, or channels or time beside z of which
            `chosen` takes none.
    """
    check_directories(path)
    with refusing_damage(path):
        handle = Handle(partial(_TiffSlices, path, chosen))
        with handle.lend() as slices:
            axes, dtype, block = slices.axes, slices.dtype, slices.block
            voxel_size = tiff_voxel_size(slices.tiff)
            note_white_is_zero(path, slices.tiff.pages.first)
    if block is None:
        return TiffStack(path, axes.shape, dtype, voxel_size, handle)
    handle.close()
    return open_block(path, block, voxel_size)


class TiffStack(Stack):
    """Reads and decompresses page by page; the file stays open, as finding the pages again takes long."""

    def __init__(
        self,
        path: Path,
        shape: tuple[int, int, int],
        dtype: np.dtype,
        voxel_size: VoxelSize | None,
        handle: Handle["_TiffSlices"],
    ) -> None:
        super().__init__(path, shape, dtype, voxel_size)
        self._handle = handle

    def _read(self, start: int, stop: int) -> np.ndarray:
        slices = np.empty((stop - start, *self.shape[1:]), self.dtype)
        for z in range(start, stop):
            with refusing_damage(self.path, f"slice {z}"), self._handle.lend() as opened:
                slices[z - start] = page_values(opened.pages[z])
        return slices


class _TiffSlices:
    """An open TIFF file and its slices: either one raw `block`, or `pages`, one a slice."""

    def __init__(self, path: Path, chosen: Selection) -> None:
        self.tiff = TiffFile(path)
        try:
            self._find(path, chosen)
        except BaseException:
            self.tiff.close()
            raise

    def close(self) -> None:
        self.tiff.close()

    def _find(self, path: Path, chosen: Selection) -> None:
        check_pages(path, self.tiff, [self.tiff.pages.first])
        check_imagej(path, self.tiff)
        series = self.tiff.series
        pages = [page for one in series for page in _pages_of(path, self.tiff, one)]
        if len(series) > 1:  # the same kind of slice written piece by piece: back to the order of the file
            pages.sort(key=lambda page: page.index)
        check_pages(path, self.tiff, pages)
        self.dtype = series[0].dtype
        self.axes = _axes(path, series, chosen)
        self.block = _raw_block(path, self.tiff, self.axes)
        if self.block is None:
            self.pages = _chosen_pages(path, pages, self.axes)


def _pages_of(path: Path, tiff: TiffFile, series: TiffPageSeries) -> list[TiffPage | TiffFrame]:
    pages = [page for page in series.pages if page is not None and page.parent is tiff]
    if len(pages) != len(series.pages):
        raise BadInput(f"{path}: is one of several files that make up one OME-TIFF; give their folder instead.")
    return pages


def _axes(path: Path, series: list[TiffPageSeries], chosen: Selection) -> Axes:
    """The axes of the one series, or of the volume that several make up, written piece by piece."""
    first = series[0]
    for one in series:
        if one.axes[-2:] != "YX" or (len(series) > 1 and len(one.axes) > 3):
            raise BadInput(
                f"{path}: has axes {one.axes} of length {one.shape} where ZYX is wanted; "
                "save one grey volume, without time or channels."
            )
        if one.shape[-2:] != first.shape[-2:] or one.dtype != first.dtype:
            raise BadInput(
                f"{path}: its pages differ, {first.shape} {first.dtype} and {one.shape} {one.dtype}; "
                "save the slices of one volume alone."
            )
    # One axis beside Y and X is z whatever its name: tifffile calls it C when it writes for ImageJ, ImageJ sometimes T.
    if all(len(one.axes) <= 3 for one in series):
        depth = sum(one.shape[0] if len(one.shape) == 3 else 1 for one in series)
        return find_axes(path, (depth, *first.shape[-2:]), chosen)
    return find_axes(path, first.shape, chosen, list(first.axes))


def _raw_block(path: Path, tiff: TiffFile, axes: Axes) -> Block | None:
    """The voxels as one block, where they lie so. ImageJ stores stacks beyond 4 GB in this way only."""
    if len(tiff.series) != 1 or tiff.series[0].dataoffset is None:
        return None
    dtype = np.dtype(tiff.series[0].dtype).newbyteorder(tiff.byteorder)
    return Block(path, tiff.series[0].dataoffset, axes, dtype)


def _chosen_pages(path: Path, pages: list[TiffPage | TiffFrame], axes: Axes) -> list[TiffPage | TiffFrame]:
    """The pages of the slices: tifffile lists them with the last axis before Y and X as the fastest."""
    planes = axes.lengths[:-2]
    if len(pages) != math.prod(planes):
        raise BadInput(f"{path}: holds {len(pages)} pages for {math.prod(planes)} slices; save it as one page a slice.")
    numbers = np.arange(len(pages)).reshape(*planes, 1, 1)[axes.slices(0, axes.shape[0])]
    return [pages[number] for number in numbers.ravel()]

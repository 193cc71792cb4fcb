"""One TIFF file: a 2-D slice or a stack of pages, classic or BigTIFF, plain or compressed."""

from functools import partial
from pathlib import Path

import numpy as np
from tifffile import TiffFile, TiffFrame, TiffPage, TiffPageSeries

from custom.errors import BadInput
from custom.stack.block import Block, open_block
from custom.stack.faults import refusing_damage
from custom.stack.handle import Handle
from custom.stack.stack import Stack
from custom.stack.tiff_layout import check_directories, check_imagej, check_pages
from custom.stack.tiff_voxel import tiff_voxel_size
from custom.stack.units import VoxelSize


def open_tiff(path: Path) -> Stack:
    """Open one TIFF file; a stored ImageJ or OME description decides which pages are its slices.

    Raises:
        BadInput: damaged, cut short, colour, pages of different size or type, or channels or time beside z.
    """
    check_directories(path)
    with refusing_damage(path):
        handle = Handle(partial(_TiffSlices, path))
        with handle.lend() as slices:
            shape, dtype, block = slices.shape, slices.dtype, slices.block
            voxel_size = tiff_voxel_size(slices.tiff)
    if block is None:
        return TiffStack(path, shape, dtype, voxel_size, handle)
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
                slices[z - start] = opened.pages[z].asarray()
        return slices


class _TiffSlices:
    """An open TIFF file and its slices: either one raw `block`, or `pages`, one a slice."""

    def __init__(self, path: Path) -> None:
        self.tiff = TiffFile(path)
        try:
            self._find(path)
        except BaseException:
            self.tiff.close()
            raise

    def close(self) -> None:
        self.tiff.close()

    def _find(self, path: Path) -> None:
        check_pages(path, self.tiff, [self.tiff.pages.first])
        check_imagej(path, self.tiff)
        series = self.tiff.series
        self.pages = [page for one in series for page in _pages_of(path, self.tiff, one)]
        if len(series) > 1:  # the same kind of slice written piece by piece: back to the order of the file
            self.pages.sort(key=lambda page: page.index)
        check_pages(path, self.tiff, self.pages)
        height, width = series[0].shape[-2:]
        for one in series:
            if one.shape[-2:] != (height, width) or one.dtype != series[0].dtype:
                raise BadInput(
                    f"{path}: its pages differ, {series[0].shape} {series[0].dtype} and {one.shape} {one.dtype}; "
                    "save the slices of one volume alone."
                )
        depth = sum(one.shape[0] if len(one.shape) == 3 else 1 for one in series)
        self.dtype = series[0].dtype
        self.shape = (depth, height, width)
        self.block = _raw_block(path, self.tiff, self.shape)
        if self.block is None and len(self.pages) != depth:
            raise BadInput(f"{path}: holds {len(self.pages)} pages for {depth} slices; save it as one page a slice.")


def _pages_of(path: Path, tiff: TiffFile, series: TiffPageSeries) -> list[TiffPage | TiffFrame]:
    # One axis beside Y and X is z whatever its name: tifffile calls it C when it writes for ImageJ, ImageJ sometimes T.
    if series.axes.endswith("S") or len(series.axes) > 3 or series.axes[-2:] != "YX":
        raise BadInput(
            f"{path}: has axes {series.axes} of length {series.shape} where ZYX is wanted; "
            "save one grey volume, without time or channels."
        )
    pages = [page for page in series.pages if page is not None and page.parent is tiff]
    if len(pages) != len(series.pages):
        raise BadInput(f"{path}: is one of several files that make up one OME-TIFF; give their folder instead.")
    return pages


def _raw_block(path: Path, tiff: TiffFile, shape: tuple[int, int, int]) -> Block | None:
    """The voxels as one block, where they lie so. ImageJ stores stacks beyond 4 GB in this way only."""
    if len(tiff.series) != 1 or tiff.series[0].dataoffset is None:
        return None
    dtype = np.dtype(tiff.series[0].dtype).newbyteorder(tiff.byteorder)
    return Block(path, tiff.series[0].dataoffset, shape, dtype)

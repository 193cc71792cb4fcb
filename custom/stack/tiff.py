"""One TIFF file: a 2-D slice or a stack of pages, classic or BigTIFF, plain or compressed."""

import logging
import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from tifffile import TiffFile, TiffFrame, TiffPage, TiffPageSeries

from custom.base.errors import BadInput
from custom.stack.axes import Axes, find_axes
from custom.stack.block import Block, open_block
from custom.stack.faults import refusing_damage
from custom.stack.format import Format
from custom.stack.handle import Handle
from custom.stack.one_by_one import OneByOne
from custom.stack.selection import Selection
from custom.stack.stack import Stack
from custom.stack.tiff_description import check_description, described, slices_held
from custom.stack.tiff_directories import Directory, read_directories, slice_pages
from custom.stack.tiff_layout import check_pages, planes_of
from custom.stack.tiff_other_axes import is_depth
from custom.stack.tiff_page import check_white_is_zero, page_at, page_values
from custom.stack.tiff_parts import check_parts
from custom.stack.tiff_voxel import tiff_voxel_size


def open_tiff(path: Path, chosen: Selection) -> Stack:
    """Open one TIFF file: its pages are the slices, in the order of an ImageJ or OME description that fits them.

    Raises:
        BadInput: damaged, cut short, colour, pages of different size or type, or channels or time beside z of which
            `chosen` takes none.
    """
    directories = read_directories(path)
    with refusing_damage(path):
        handle = Handle(partial(_TiffSlices, path, directories, chosen))
        with handle.lend() as slices:
            axes, dtype, block = slices.axes, slices.dtype, slices.block
            voxel_size = tiff_voxel_size(slices.tiff, slices.first)
            check_white_is_zero(path, slices.first, chosen.labels)
            check_parts(path, slices.pages, chosen.labels)
    if block is None:
        # it stays open: finding the pages again takes long
        return OneByOne(path, axes.shape, dtype, voxel_size, handle)
    handle.close()
    return open_block(path, block, voxel_size)


class _TiffSlices:
    """An open TIFF file and its slices: either one raw `block`, or `pages`, one a slice."""

    def __init__(self, path: Path, directories: list[Directory], chosen: Selection) -> None:
        self.tiff = TiffFile(path)
        try:
            self._find(path, directories, chosen)
        except BaseException:
            self.tiff.close()
            raise

    def slice(self, z: int) -> np.ndarray:
        return page_values(self.pages[z])

    def close(self) -> None:
        self.tiff.close()

    def _find(self, path: Path, directories: list[Directory], chosen: Selection) -> None:
        numbers = slice_pages(directories)
        self.first = first = page_at(self.tiff, numbers[0])
        check_pages(path, first)
        self.block: Block | None = None
        self.pages: Sequence[TiffPage | TiffFrame] = []
        self.dtype = np.dtype(first.dtype)
        if first.samplesperpixel > 1:
            self._take(path, planes_of(path, [page_at(self.tiff, number) for number in numbers]), chosen)
            return
        told = described(self.tiff, numbers)
        held = slices_held(path, first, len(numbers), told, directories)
        found = _series(self.tiff, numbers, held) if told is None or told.planes == held else None
        if found is None:
            check_description(path, told, held)
            self._take(path, [page_at(self.tiff, number) for number in numbers], chosen)
            return
        series, pages = found
        check_pages(path, first, pages)
        self.axes = _axes(path, self.tiff, series, chosen)
        self.block = _raw_block(path, self.tiff, series, self.axes)
        if self.block is None:
            self.pages = _chosen_pages(path, pages, self.axes)

    def _take(self, path: Path, pages: Sequence[TiffPage], chosen: Selection) -> None:
        """One page a slice, whatever a description says."""
        for page in pages:
            _check_alike(path, (pages[0].shape, pages[0].dtype), (page.shape, page.dtype))
        check_pages(path, self.first, pages)
        self.axes = find_axes(path, (len(pages), *pages[0].shape), chosen)
        self.pages = _chosen_pages(path, pages, self.axes)


def _series(
    tiff: TiffFile, numbers: Sequence[int], held: int
) -> tuple[list[TiffPageSeries], list[TiffPage | TiffFrame]] | None:
    """What tifffile makes of the pages, without those that are no slices; None where it is not each of them once."""
    wanted = set(numbers)
    kept = [(one, pages) for one, pages in _listed(tiff) if any(page is None or page.index in wanted for page in pages)]
    series = [one for one, _ in kept]
    pages = [page for _, several in kept for page in several if page is not None and page.parent is tiff]
    if len(pages) < sum(len(several) for _, several in kept) or any(one.axes[-2:] != "YX" for one in series):
        return None
    if len(series) > 1:  # the same kind of slice written piece by piece: back to the order of the file
        pages.sort(key=lambda page: page.index)
    whole = len(series) == 1 and math.prod(series[0].shape[:-2]) == held and series[0].dataoffset is not None
    return (series, pages) if whole or sorted(page.index for page in pages) == list(numbers) else None


def _listed(tiff: TiffFile) -> list[tuple[TiffPageSeries, list[Any]]]:
    """The series and the pages of each, listed once, as pages are made meanwhile.

    Where a description is of another file, as of the stack that slices were cut from, tifffile warns of what it would fill
    with zeros. Here the pages decide, and nothing is.
    """
    logger = logging.getLogger("tifffile")
    before, logger.disabled = logger.disabled, True
    try:
        return [(one, list(one.pages)) for one in tiff.series]
    finally:
        logger.disabled = before


def _check_alike(path: Path, first: tuple[Any, Any], other: tuple[Any, Any]) -> None:
    if first != other:
        raise BadInput(
            f"{path}: its pages differ, {first[0]} {first[1]} and {other[0]} {other[1]}; "
            "save the slices of one volume alone."
        )


def _axes(path: Path, tiff: TiffFile, series: list[TiffPageSeries], chosen: Selection) -> Axes:
    """The axes of the one series, or of the volume that several make up, written piece by piece."""
    first = series[0]
    for one in series:
        if len(series) > 1 and len(one.axes) > 3:
            raise BadInput(
                f"{path}: has axes {one.axes} of length {one.shape} where ZYX is wanted; "
                "save one grey volume, without time or channels."
            )
        if one.shape[-2:] != first.shape[-2:] or one.dtype != first.dtype:
            _check_alike(path, (first.shape, first.dtype), (one.shape, one.dtype))
    one_axis = all(sum(length > 1 for length in one.shape[:-2]) <= 1 for one in series)
    if one_axis and (len(series) > 1 or is_depth(path, tiff, first, chosen)):
        depth = sum(math.prod(one.shape[:-2]) for one in series)
        return find_axes(path, (depth, *first.shape[-2:]), chosen)
    return find_axes(path, first.shape, chosen, list(first.axes))


def _raw_block(path: Path, tiff: TiffFile, series: list[TiffPageSeries], axes: Axes) -> Block | None:
    """The voxels as one block, where they lie so. ImageJ stores stacks beyond 4 GB in this way only."""
    if len(series) != 1 or series[0].dataoffset is None:
        return None
    return Block(path, series[0].dataoffset, axes, np.dtype(series[0].dtype).newbyteorder(tiff.byteorder))


def _chosen_pages(path: Path, pages: Sequence[TiffPage | TiffFrame], axes: Axes) -> list[TiffPage | TiffFrame]:
    """The pages of the slices: tifffile lists them with the last axis before Y and X as the fastest."""
    planes = axes.lengths[:-2]
    if len(pages) != math.prod(planes):
        raise BadInput(f"{path}: holds {len(pages)} pages for {math.prod(planes)} slices; save it as one page a slice.")
    numbers = np.arange(len(pages)).reshape(*planes, 1, 1)[axes.slices(0, axes.shape[0])]
    return [pages[number] for number in numbers.ravel().tolist()]


# .btf and .tf8 are BigTIFF, .tf2 is plain TIFF
FORMAT = Format("TIFF", (".tif", ".tiff", ".btf", ".tf8", ".tf2"), open_tiff, slices=True)

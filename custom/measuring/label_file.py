"""The file in which each voxel has the number of its agglomerate."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from custom.stack import Stack
from custom.stack.writers import OUTPUT_FORMATS, StackWriter, open_writer
from custom.stack.writers.nrrd import NrrdEncoder

_MOST_SEGMENTS = 254  # that have a colour of their own; 3D Slicer's list of segments is at its limit long before


def label_file(output_format: str) -> str:
    """Its name; an NRRD ends in .seg.nrrd, by which 3D Slicer knows a segmentation.

    Args:
        output_format: a key of `OUTPUT_FORMATS`.
    """
    return f"{_stem(output_format)}{OUTPUT_FORMATS[output_format].suffix}"


def open_label_writer(folder: Path, output_format: str, mask: Stack, count: int) -> StackWriter:
    """A writer of uint32 labels on the grid of a mask, 1 is the largest agglomerate and 0 none.

    Args:
        folder: where it goes.
        output_format: a key of `OUTPUT_FORMATS`.
        count: of the agglomerates; the largest 254 are named as 3D Slicer's segments.

    Raises:
        BadInput: as `open_writer`.
    """
    named: tuple[str, ...] = ()
    if OUTPUT_FORMATS[output_format] is NrrdEncoder:
        named = tuple(f"agglomerate {number}" for number in range(1, min(count, _MOST_SEGMENTS) + 1))
    path, size = folder / _stem(output_format), mask.voxel_size_um
    return open_writer(
        path, output_format, mask.shape, np.uint32, size, overwrite=True, place=mask.place, classes=named
    )


def _stem(output_format: str) -> str:
    return "agglomerates" + (NrrdEncoder.segmentation if OUTPUT_FORMATS[output_format] is NrrdEncoder else "")

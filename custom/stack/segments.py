"""Segments: what 3D Slicer draws and keeps in a .seg.nrrd, in layers where segments overlap.

https://slicer.readthedocs.io/en/latest/developer_guide/modules/segmentations.html: of segment N the header has
``SegmentN_Name``, ``SegmentN_LabelValue`` and ``SegmentN_Layer``; several layers are an axis of kind `list`, the fastest.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from custom.base.errors import BadInput
from custom.stack.stack import Stack

_KEY = re.compile(r"Segment(\d+)_LabelValue")
_OFFSET = "Segmentation_ReferenceImageExtentOffset"


@dataclass(frozen=True)
class Segment:
    """What has been drawn under one name.

    Attributes:
        name: as the user gave it.
        value: of its voxels in its layer.
        layer: which, counted from 0.
    """

    name: str
    value: int
    layer: int


def segments_of(header: Mapping[str, Any]) -> tuple[Segment, ...]:
    """The segments that an NRRD header tells of, in their order; none where it is of another program."""
    found = sorted(int(match[1]) for key in header if (match := _KEY.fullmatch(key)))
    try:
        return tuple(
            Segment(
                str(header.get(f"Segment{n}_Name", f"Segment_{n + 1}")),
                int(header[f"Segment{n}_LabelValue"]),
                int(header.get(f"Segment{n}_Layer", 0)),
            )
            for n in found
        )
    except ValueError:
        return ()


def corner_of(header: Mapping[str, Any]) -> tuple[int, int, int] | None:
    """The voxel (z, y, x) of the image at which a segmentation begins that was cropped to its segments; None: not told."""
    try:
        x, y, z = (int(word) for word in str(header[_OFFSET]).split())
    except (KeyError, ValueError):
        return None
    return z, y, x


class SegmentStack(Stack):
    """The segments of all layers in one volume.

    A voxel holds its segment's own value, or where values of different layers are the same the number of its segment,
    counted from 1, and 0 where nothing was drawn. `mean` replaces that.

    Args:
        stored: (Z, Y, X L), with the L layers of a voxel beside one another.
        segments: of all layers.
        layers: L.
        corner: the voxel (z, y, x) of the image at which it begins; None: not told.
    """

    def __init__(
        self, stored: Stack, segments: Sequence[Segment], layers: int = 1, corner: tuple[int, int, int] | None = None
    ) -> None:
        shape = (*stored.shape[:2], stored.shape[2] // layers)
        super().__init__(stored.path, shape, np.dtype(np.int32), stored.voxel_size)
        self.files, self.place, self.costly_again = stored.files, stored.place, stored.costly_again
        self.stored_order, self.segments = stored.stored_order, tuple(segments)
        self._stored, self._layers, self.corner = stored, layers, corner
        values = [segment.value for segment in segments]
        distinct = len(set(values)) == len(values) and 0 not in values
        self.meaning = dict(zip(segments, values if distinct else range(1, 1 + len(values)), strict=True))
        self.rest = 0

    def mean(self, labels: Mapping[Segment, int], rest: int) -> None:
        """Let `read` give a label for each segment, and `rest` where nothing was drawn."""
        self.meaning, self.rest = dict(labels), rest

    def _read(self, start: int, stop: int) -> np.ndarray:
        every = self._stored.read(start, stop)
        found = np.full((stop - start, *self.shape[1:]), self.rest, np.int32)
        drawn = np.zeros(found.shape, bool)
        for layer in range(self._layers):
            stored = every[:, :, layer :: self._layers]
            beyond = (stored != 0) & ~drawn
            for segment in (one for one in self.segments if one.layer == layer):
                here = stored == segment.value
                self._refuse_overlap(drawn & here & (found != self.meaning[segment]), start, segment)
                found[here], beyond[here] = self.meaning[segment], False
                drawn |= here
            found[beyond] = stored[beyond]  # of no segment: whoever reads labels says what is wrong with it
        return found

    def _refuse_overlap(self, both: np.ndarray, start: int, segment: Segment) -> None:
        if both.any():
            z = start + int(both.any(axis=(1, 2)).argmax())
            raise BadInput(
                f"{self.path}: the segment {segment.name!r} overlaps another one that means something else, in "
                f"{int(both.sum())} voxels, first in slice {z}; in 3D Slicer, Segment Editor > Masking > Modify other segments: "
                "Overwrite all, and draw over them once, so that each voxel has one meaning"
            )


class GrownStack(Stack):
    """A cropped segmentation in the volume that it was drawn in.

    Args:
        stored: what was kept of it.
        corner: the voxel (z, y, x) of the volume at which that begins; it may lie beyond.
        shape: (Z, Y, X) of the volume.
        rest: the value of all other voxels.
    """

    def __init__(self, stored: Stack, corner: tuple[int, int, int], shape: tuple[int, int, int], rest: int = 0) -> None:
        super().__init__(stored.path, shape, stored.dtype, stored.voxel_size)
        self.files, self.costly_again = stored.files, stored.costly_again
        self._stored, self._corner, self._rest = stored, corner, rest

    def _read(self, start: int, stop: int) -> np.ndarray:
        found = np.full((stop - start, *self.shape[1:]), self._rest, self.dtype)
        first, depth = self._corner[0], self._stored.shape[0]
        low, high = max(start, first), min(stop, first + depth)
        if low < high:
            to, of = zip(*map(_overlap, self._corner[1:], self._stored.shape[1:], self.shape[1:]), strict=True)
            found[(slice(low - start, high - start), *to)] = self._stored.read(low - first, high - first)[
                (slice(None), *of)
            ]
        return found


def _overlap(corner: int, length: int, room: int) -> tuple[slice, slice]:
    """Along an axis: where in the volume, and where in what is laid there."""
    low, high = max(corner, 0), max(min(corner + length, room), 0)
    return slice(low, high), slice(low - corner, high - corner)

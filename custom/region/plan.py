"""Which raw slices a region's slices need of a field, and which box of each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from custom.region.bend import bent
from custom.region.fields import Field, ramps
from custom.region.record import Region

_ALONG = 65  # places along x; between them a face of the fourth order deviates by less than a hundredth of its bend
_AT_ONCE = 256  # slices


@dataclass(frozen=True)
class Plan:
    """What is needed of one field.

    Attributes:
        matrix: 4 x 4, from bent points of the region to the field's voxels.
        low, high: for each slice of the region, the first raw slice and the end of those that it needs; none where equal.
        least, most: (nz, 3): the map's bounds in each of the region's slices, (z, y, x) of the field.
        corner: (Z, 2): where the box of each raw slice begins along y and x.
        box: its height and width.
    """

    matrix: np.ndarray
    low: np.ndarray
    high: np.ndarray
    least: np.ndarray
    most: np.ndarray
    corner: np.ndarray
    box: tuple[int, int]

    def range(self, start: int, stop: int) -> tuple[int, int]:
        """First raw slice and end of what the region's slices start, ..., stop - 1 need; (0, 0) where nothing."""
        needed = self.high[start:stop] > self.low[start:stop]
        if not needed.any():
            return 0, 0
        return int(self.low[start:stop][needed].min()), int(self.high[start:stop][needed].max())

    def capacity(self, height: int) -> int:
        """Raw slices that two neighbouring slabs of `height` slices need at most."""
        ranges = (self.range(start, start + 2 * height) for start in range(len(self.low)))
        return max(1, max(high - low for low, high in ranges))


def plan_field(region: Region, number: int, margin: int = 2, straight: bool = False) -> Plan:
    """The plan for one of a region's fields.

    Args:
        region: with shape, volume and fields.
        number: of the field.
        margin: voxels around what the map touches along y and x; along z, less 2 of them.
        straight: whether the boxes of all raw slices are the same.
    """
    assert region.shape is not None
    field = region.fields[number]
    matrix = field.matrix() @ region.map().matrix
    least, most = _bounds(region, matrix)
    low, high = _slices(region, number, least[:, 0], most[:, 0], margin - 2)
    corner, box = _boxes(field, low, high, least[:, 1:] - margin, most[:, 1:] + margin, straight)
    return Plan(matrix, low, high, least, most, corner, box)


def _bounds(region: Region, matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Least and most of z, y and x of the field in each slice of the region, (nz, 3) each."""
    assert region.shape is not None
    depth, height, width = region.shape
    least, most = np.empty((depth, 3)), np.empty((depth, 3))
    for start in range(0, depth, _AT_ONCE):
        z = np.arange(start, min(start + _AT_ONCE, depth), dtype=float)
        lines = np.array([0.0, height - 1.0]), np.linspace(0, width - 1, min(width, _ALONG))
        points = bent(np.stack(np.meshgrid(z, *lines, indexing="ij"), axis=-1), region.bend, region.shape)
        raw = points @ matrix[:, :3].T + matrix[:, 3]
        raw[..., 1:3] /= raw[..., 3:]
        least[start : start + len(z)] = raw[..., :3].min(axis=(1, 2))
        most[start : start + len(z)] = raw[..., :3].max(axis=(1, 2))
    return least, most


def _slices(
    region: Region, number: int, least: np.ndarray, most: np.ndarray, margin: int
) -> tuple[np.ndarray, np.ndarray]:
    field = region.fields[number]
    rise, _, _, fall = (at - field.first for at in ramps(region.fields)[number])
    low = np.clip(np.floor(least + 1e-6).astype(int) - margin, 0, field.shape[0])
    high = np.clip(np.floor(most - 1e-6).astype(int) + 2 + margin, 0, field.shape[0])
    counts = (most > rise) & (least < fall) & (high > low)
    return low, np.where(counts, high, low)


def _boxes(
    field: Field, low: np.ndarray, high: np.ndarray, least: np.ndarray, most: np.ndarray, straight: bool
) -> tuple[np.ndarray, tuple[int, int]]:
    depth, *plane = field.shape
    first, end = np.full((depth, 2), np.inf), np.full((depth, 2), -np.inf)
    for begin, stop, lower, upper in zip(low, high, least, most, strict=True):
        first[begin:stop] = np.minimum(first[begin:stop], lower)
        end[begin:stop] = np.maximum(end[begin:stop], upper)
    used = np.isfinite(first[:, 0])
    corner = np.zeros((depth, 2), np.int64)
    if not used.any():
        return corner, (1, 1)
    if straight:
        first[used], end[used] = first[used].min(axis=0), end[used].max(axis=0)
    first, end = np.clip(np.floor(first), 0, plane), np.clip(np.ceil(end) + 1, 0, plane)
    sizes = np.maximum((end - first)[used].max(axis=0), 1).astype(int)
    corner[used] = np.minimum(first[used], np.array(plane) - sizes).astype(np.int64)
    return corner, (int(sizes[0]), int(sizes[1]))

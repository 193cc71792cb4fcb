"""One look at a field of view: everything that is to be known of it from a single sequential reading."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from custom.base.errors import BadInput
from custom.region.circle import Circle, InsideSearch
from custom.region.projections import Projections, ProjectionSums
from custom.stack import Stack, slabs
from custom.stack.percentiles import Histogram, is_counted_at_once

Volume = NDArray[np.float32]
Progress = Callable[[int, int], None]  # slices read, of how many

PERCENTILES = (0.5, 50.0, 99.5)
_COARSEST, _LEAST_SIDE = 8, 96  # a coarse copy keeps about as many voxels along the shortest side of a slice
_OVERLAPPING = 80  # slices of a tall copy at least: an overlap of a tenth then has eight
_HEIGHT = 8  # slices read at a time: 212 MB as float32 at 2575 x 2582
_SAMPLED = 1 << 22  # values kept for the percentiles of types that one counting does not do


@dataclass(frozen=True)
class FieldLook:
    """What one reading of a field told.

    Attributes:
        stack: the field.
        factor: of the coarse copy.
        coarse: means over factor ** 3 voxels, (Z, Y, X) // factor, NaN outside the reconstruction. Its voxel i has its
            centre at factor * i + (factor - 1) / 2.
        tall: the same with means over fewer slices, `thin`, so that an overlap of a tenth is some slices of it too.
        thin: power of 2, at most `factor`.
        projections: of all its voxels.
        ends: the least and the largest finite grey value.
        percentiles: `PERCENTILES` of the grey values within the reconstruction.
        finite: share of finite voxels.
        inside: (Y, X), what was reconstructed.
        circle: around it, or None.
    """

    stack: Stack
    factor: int
    coarse: Volume
    tall: Volume
    thin: int
    projections: Projections
    ends: tuple[float, float]
    percentiles: tuple[float, ...]
    finite: float
    inside: NDArray[np.bool_]
    circle: Circle | None


def coarse_factor(shape: tuple[int, int, int]) -> int:
    """By how much a volume of this shape is made coarser: 8, or 4 or 2 where that leaves too little of a slice."""
    factor = _COARSEST
    while factor > 2 and min(shape[1:]) < _LEAST_SIDE * factor:
        factor //= 2
    return factor


def look_at(stack: Stack, factor: int, progress: Progress | None = None) -> FieldLook:
    """Read a field once, `_HEIGHT` slices at a time.

    Raises:
        BadInput: it is damaged, or more than half of it is not finite.
    """
    seen = _Seen(stack, factor)
    for slab in slabs(stack, _HEIGHT):
        seen.add(slab.start, slab.read())
        if progress is not None:
            progress(slab.stop, stack.shape[0])
    return seen.told()


class _Seen:
    def __init__(self, stack: Stack, factor: int) -> None:
        depth, rows, columns = stack.shape
        self.stack, self.factor = stack, factor
        self.sums, self.search = ProjectionSums(stack.shape), InsideSearch((rows, columns))
        self.coarse = np.full((depth // factor, rows // factor, columns // factor), np.nan, np.float32)
        self.thin = 2 ** max(min(int(math.log2(max(depth / _OVERLAPPING, 1))), int(math.log2(factor))), 0)
        self.tall = self.coarse
        if self.thin < factor:
            self.tall = np.full((depth // self.thin, *self.coarse.shape[1:]), np.nan, np.float32)
        self.counted = Histogram(stack.dtype) if is_counted_at_once(stack.dtype) else None
        self.samples: list[np.ndarray] = []
        self.step = max(round((np.prod(stack.shape, dtype=float) / _SAMPLED) ** (1 / 3)), 1)
        self.ends, self.known = (np.inf, -np.inf), 0

    def add(self, start: int, slab: np.ndarray) -> None:
        for plane in (slab[0], slab[len(slab) // 2]) if start == 0 else (slab[len(slab) // 2],):
            self.search.look(plane)
        inside = self.search.inside
        grey = slab.astype(np.float32)
        grey[:, ~inside] = np.nan
        self._count(start, slab, grey, inside)
        self.sums.add(start, grey)
        for thick, copy in {self.factor: self.coarse, self.thin: self.tall}.items():
            for z in range(0, len(slab) - thick + 1, thick):
                if (start + z) // thick < len(copy):
                    copy[(start + z) // thick] = block_means(grey[z : z + thick], self.factor)

    def _count(self, start: int, slab: np.ndarray, grey: Volume, inside: NDArray[np.bool_]) -> None:
        whole = bool(inside.all())
        for z, plane in enumerate(slab, start):
            values = plane.reshape(-1) if whole else plane[inside]
            finite = values if self.counted is not None else values[np.isfinite(values)]
            self.known += plane.size if self.counted is not None else int(np.isfinite(plane).sum())
            if self.counted is not None:
                self.counted.add(finite)
            elif z % self.step == 0:
                self.samples.append(grey[z - start][:: self.step, :: self.step].ravel())
            if finite.size:
                self.ends = min(self.ends[0], float(finite.min())), max(self.ends[1], float(finite.max()))

    def told(self) -> FieldLook:
        share = self.known / math.prod(self.stack.shape)
        if share < 0.5:
            raise BadInput(
                f"{self.stack.path}: {1 - share:.0%} of its voxels are not finite numbers; reconstruct it anew, "
                "or cut away what lies outside the reconstruction."
            )
        if self.counted is not None:
            percentiles = self.counted.percentiles(PERCENTILES, list)
        else:
            values = np.concatenate(self.samples)
            percentiles = np.percentile(values[np.isfinite(values)], PERCENTILES).tolist()
        return FieldLook(
            self.stack, self.factor, self.coarse, self.tall, self.thin, self.sums.gathered(), self.ends, tuple(percentiles), share,
            self.search.inside, self.search.circle(),
        )  # fmt: skip


def block_means(grey: Volume, factor: int) -> Volume:
    """Means over all of `grey` (h, Y, X) in blocks of factor x factor, NaN where half of one is unknown or more."""
    height, rows, columns = grey.shape
    rows, columns = rows // factor, columns // factor
    blocks = grey[:, : rows * factor, : columns * factor]
    known = np.isfinite(blocks)
    total = np.where(known, blocks, 0).sum(axis=0).reshape(rows, factor, columns, factor).sum(axis=(1, 3))
    count = known.sum(axis=0).reshape(rows, factor, columns, factor).sum(axis=(1, 3))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(2 * count > height * factor**2, total / count, np.nan).astype(np.float32)

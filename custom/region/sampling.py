"""The grey values of a region, slab by slab: every voxel interpolated once, all fields and the bend in one map."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from custom.base.cores import cores
from custom.region import kernels
from custom.region.bend import bent, faces
from custom.region.fields import weights
from custom.region.fill import Filling, fill_of
from custom.region.grey import Grey
from custom.region.plan import Plan, plan_field
from custom.region.record import Region
from custom.region.region_stack import writable
from custom.region.spline import MARGIN, SplineWindow
from custom.region.warping import warp, warps
from custom.region.window import Window
from custom.stack import Stack

COMPILED = ("uint8", "uint16", "float32")
ORDERS = ("linear", "cubic", "nearest")


@dataclass(frozen=True, eq=False)
class _Field:
    """One field at work."""

    stack: Stack
    plan: Plan
    window: Window
    fill: float
    scale: float
    offset: float


class Sampler:
    """Samples a region of raw stacks; slabs are best asked for in order, since raw slices are then read once.

    Args:
        region: `matched` with its stacks.
        stacks: in the order of its fields.
        order: linear, cubic (the spline of scipy's order 3) or nearest (labels).
        height: slices of a slab at most, for the memory.
        threads: None: one a core.

    Attributes:
        dtype: of the voxels, the first stack's.
        fill: the grey value outside the reconstruction.
    """

    def __init__(
        self,
        region: Region,
        stacks: Sequence[Stack],
        order: str = "linear",
        height: int = 16,
        threads: int | None = None,
    ) -> None:
        assert region.shape is not None and region.volume is not None
        self.region, self.order, self.height = region, order, height
        self.shape, self.dtype = region.shape, writable(stacks[0].dtype)
        self.fill = 0.0 if order == "nearest" else fill_of(region, tuple(stacks))
        self.matrix = region.map().matrix
        self.grey = Grey(self.dtype, region.invert)
        self.threads = threads or cores()
        self.kernel = getattr(kernels, order)
        self.fields = [self._field(number, stack) for number, stack in enumerate(stacks)]
        self.ahead: Future[None] | None = None
        self.last = 0
        self.pool = ThreadPoolExecutor(self.threads, "sampling")
        self.reader = ThreadPoolExecutor(1, "raw-slices")

    def _field(self, number: int, stack: Stack) -> _Field:
        field = self.region.fields[number]
        spline = self.order == "cubic"
        plan = plan_field(self.region, number, MARGIN if spline else 2, straight=spline)
        capacity = plan.capacity(self.height)
        if self.order == "nearest":
            return _Field(stack, plan, Window(stack, plan, capacity, self.dtype, _as_it_is), 0.0, 1.0, 0.0)
        filling = Filling(field, stack, plan, self.fill)
        if spline:
            window: Window = SplineWindow(stack, plan, capacity, filling)
        else:
            # a kernel is compiled for each type, and all that are not listed fit into a float32, or nearly
            held = self.dtype if self.dtype.name in COMPILED else np.dtype(np.float32)
            window = Window(stack, plan, capacity, held, filling)
        return _Field(stack, plan, window, filling.own, field.scale, field.offset)

    def read(self, start: int, stop: int) -> np.ndarray:
        """The slices start, ..., stop - 1 of the region, (h, ny, nx) of `dtype`.

        Raises:
            BadInput: whatever reading the stacks raises.
        """
        out = np.empty((stop - start, *self.shape[1:]), self.dtype)
        for part in range(start, stop, self.height):
            end = min(part + self.height, stop)
            self.hold(part, end)
            if part == self.last and end < self.shape[0]:  # in order: raw slices of the next one come meanwhile
                self.ahead = self.reader.submit(self._hold, end, min(2 * end - part, self.shape[0]), part)
            self.last = end
            self.fill_in(part, out[part - start : end - start])
        return out

    def hold(self, start: int, stop: int) -> None:
        """Read the raw slices that the slices start, ..., stop - 1 need, `height` at most, unless they are there.

        Raises:
            BadInput: whatever reading the stacks raises.
        """
        if self.ahead is not None:
            coming, self.ahead = self.ahead, None
            coming.result()
        self._hold(start, stop)

    def fill_in(self, start: int, out: np.ndarray) -> None:
        """Sample a slab whose raw slices are held, into (h, ny, nx) of `dtype`."""
        for (fields, by_opencv), group in groupby(range(start, start + len(out)), self._kind):
            numbers = list(group)
            part = out[numbers[0] - start : numbers[-1] + 1 - start]
            if not fields:
                part[...] = self.grey.of(np.array(self.fill))
            elif by_opencv:
                warp(fields[0].window, fields[0].plan, numbers[0], part, self.grey)
            elif len(fields) == 1:
                self._direct(fields[0], numbers[0], part)
            else:
                for z, plane in zip(numbers, part, strict=True):
                    self._blended(fields, z, plane)

    def _kind(self, z: int) -> tuple[tuple[_Field, ...], bool]:
        """The fields that a slice comes of, and whether OpenCV makes it."""
        fields = tuple(field for field in self.fields if field.plan.high[z] > field.plan.low[z])
        if len(fields) != 1 or self.order != "linear" or self.region.bend is not None:
            return fields, False
        (field,) = fields
        plain = field.scale == 1 and field.offset == 0
        return fields, plain and warps(field.plan, field.stack.shape, z, self.shape[1:], self.grey)

    def _hold(self, start: int, stop: int, kept: int | None = None) -> None:
        for field in self.fields:
            low, high = field.plan.range(start, stop)
            if kept is not None:
                low = min(low, field.plan.range(kept, start)[0]) if high > low else low
            if high > low:
                field.window.hold(low, high)

    def _direct(self, field: _Field, start: int, out: np.ndarray) -> None:
        """A slab of one field."""
        if field.window.flat.dtype == out.dtype:
            self._kernel(field, start, out, field.fill, self.grey.finish(field.scale, field.offset))
            return
        values = np.empty(out.shape, np.float32)
        self._kernel(field, start, values, field.fill, _in_first(field))
        out[...] = self.grey.of(values)

    def _kernel(self, field: _Field, start: int, out: np.ndarray, fill: float, finish: np.ndarray) -> None:
        height = self.shape[1]
        low, high = field.plan.range(start, start + len(out))
        ends = np.linspace(0, len(out) * height, 4 * self.threads + 1).astype(int).tolist()
        window, bend = field.window, faces(self.region.bend, self.shape, start, start + len(out))
        given = (window.flat, window.bases(low, high), window.step, low, field.stack.shape, field.plan.matrix, bend)

        def rows(first: int, end: int) -> None:
            line = np.empty(self.shape[2], np.float32)
            self.kernel(*given, start, height, (first, end), np.float32(fill), line, out, finish)

        list(self.pool.map(rows, ends[:-1], ends[1:]))

    def _blended(self, fields: Sequence[_Field], z: int, out: np.ndarray) -> None:
        """A slice where fields overlap; what only one of them shows is its own."""
        shares = weights(self._raw_z(z), self.region.fields)
        total, known = np.zeros(out.shape, np.float32), np.zeros(out.shape, np.float32)
        for field in fields:
            value = np.empty((1, *out.shape), np.float32)
            self._kernel(field, z, value, np.nan, _in_first(field))
            share = np.where(np.isnan(value[0]), 0, shares[self.fields.index(field)]).astype(np.float32)
            if self.order == "nearest":
                more = share > known
                total[more], known[more] = value[0][more], share[more]
            else:
                total += np.where(share > 0, share * value[0], 0)
                known += share
        parts = 1 if self.order == "nearest" else known
        filled = np.divide(total, parts, out=np.full_like(total, self.fill), where=known > 0)
        out[...] = self.grey.of(filled)

    def _raw_z(self, z: int) -> np.ndarray:
        """z in the raw grid of a slice's voxels, (ny, nx)."""
        lines = np.arange(self.shape[1], dtype=float), np.arange(self.shape[2], dtype=float)
        points = np.stack(np.meshgrid([float(z)], *lines, indexing="ij"), axis=-1)[0]
        row = self.matrix[0]
        found: np.ndarray = bent(points, self.region.bend, self.shape) @ row[:3] + row[3]
        return found


def _in_first(field: _Field) -> np.ndarray:
    """What a kernel does with a value that stays a float32, in the first field's grey scale."""
    return np.array([field.scale, field.offset, 0, 0, 0, 1, 0], np.float32)


def _as_it_is(z: int, box: np.ndarray) -> None:
    """Labels stay."""

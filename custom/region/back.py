"""A mask of a region on the raw grid, see `back_kernel`."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
from scipy.special import logit

from custom.base.cores import cores
from custom.region.back_kernel import linear_back, nearest_back
from custom.region.bend import faces
from custom.region.fields import Field
from custom.region.plan import Plan, plan_field
from custom.region.record import Region
from custom.region.window import Window
from custom.stack import Stack

# of a probability in 255 steps, whose ends stand for all within half of one
LOG_ODDS = logit(np.clip(np.arange(256), 0.5, 254.5) / 255).astype(np.float32)


class BackSampler:
    """Gives slabs of the raw grid, best in order: each slice of the mask is then read once.

    Args:
        region: `matched` with its raw stacks.
        mask: a stack of the region's shape.
        half: None: the mask is one. Else it is a probability, and half of its range; where it is that at least the result is 1.
        height: slices of a slab at most, for the memory.
        threads: None: one a core.

    Attributes:
        shape: of the raw grid, (Z, Y, X).
    """

    def __init__(
        self, region: Region, mask: Stack, height: int = 16, threads: int | None = None, half: float | None = None
    ) -> None:
        assert region.shape is not None and region.volume is not None
        self.region, self.height, self.half = region, height, half
        self.dtype = mask.dtype if half is None else np.dtype(np.uint8)
        self.shape = region.volume.shape
        self.mask_shape = region.shape
        raw = replace(region, fields=(Field("raw", self.shape),))
        self.plan = plan_field(raw, 0)
        self.matrix = region.map().matrix
        self.ranges = _ranges(self.plan, self.shape[0])
        whole = replace(self.plan, corner=np.zeros((region.shape[0], 2), np.int64), box=region.shape[1:])
        self.window = Window(mask, whole, self._capacity(), mask.dtype, lambda z, box: None)
        self.threads = threads or cores()
        self.pool = ThreadPoolExecutor(self.threads, "putting-back")

    def _capacity(self) -> int:
        return max(1, max(end - first for first, end in map(self._needs, range(self.shape[0]))))

    def _needs(self, start: int) -> tuple[int, int]:
        """First slice and end of the mask that a slab from `start` on needs."""
        some = self.ranges[start : start + self.height]
        some = some[some[:, 1] > some[:, 0]]
        return (int(some[:, 0].min()), int(some[:, 1].max())) if len(some) else (0, 0)

    def read(self, start: int, stop: int) -> np.ndarray:
        """The raw slices start, ..., stop - 1, (h, Y, X) of `dtype`, at most `height` of them; 0 outside the region.

        Raises:
            BadInput: whatever reading the mask raises.
        """
        out = np.zeros((stop - start, *self.shape[1:]), self.dtype)
        low, high = self._needs(start)
        if high <= low:
            return out
        self.window.hold(low, high)
        bases, bend = self.window.bases(low, high), faces(self.region.bend, self.mask_shape, low, high)
        height, width = self.plan.box
        ends = np.linspace(0, len(out) * height, 4 * self.threads + 1).astype(int).tolist()

        def rows(first: int, end: int) -> None:
            given = (self.window.flat, bases, self.window.step, low, self.mask_shape, self.matrix, bend)
            box = (start, self.plan.corner[start:stop], (height, width), (first, end))
            if self.half is None:
                nearest_back(*given, *box, out)
            else:
                linear_back(*given, *box, 127.5 / self.half, LOG_ODDS, out)

        list(self.pool.map(rows, ends[:-1], ends[1:]))
        return out


def _ranges(plan: Plan, depth: int) -> np.ndarray:
    """(Z, 2): first slice and end of the region that each raw slice touches; equal where it touches none."""
    found = np.tile(np.array([len(plan.low), 0]), (depth, 1))
    for number, (low, high) in enumerate(zip(plan.low, plan.high, strict=True)):
        found[low:high, 0] = np.minimum(found[low:high, 0], number)
        found[low:high, 1] = np.maximum(found[low:high, 1], number + 1)
    found[:, 0] = np.minimum(found[:, 0], found[:, 1])
    return found

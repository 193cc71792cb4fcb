"""Coefficients of the cubic spline through raw slices, as scipy computes them, a slice at a time."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from scipy import ndimage

from custom.region.plan import Plan
from custom.region.window import Prepare, Window
from custom.stack import Stack

POLE = math.sqrt(3) - 2
REACH = 13  # slices and voxels beyond which a value counts less than 4e-8
MARGIN = REACH + 3  # what a box needs around the places of the map


class SplineWindow(Window):
    """A window of coefficients instead of grey values; a slice's own depend on `REACH` neighbours, never on the window.

    So every way to cut the region into slabs gives the same bytes. Boxes are the same for all slices.
    """

    def __init__(self, stack: Stack, plan: Plan, capacity: int, prepare: Prepare) -> None:
        single = np.dtype(np.float32)

        def filtered(z: int, box: np.ndarray) -> None:
            prepare(z, box)
            for axis in (0, 1):
                box[...] = ndimage.spline_filter1d(box, 3, axis, single, "mirror")

        super().__init__(stack, plan, capacity, single, filtered)
        self.planes = Window(stack, replace(plan), capacity + 2 * REACH, single, filtered)

    def hold(self, low: int, high: int) -> None:
        """See `Window.hold`."""
        if not self.first <= low <= self.end:
            self.first = self.end = low
        self.first = low
        depth = self.stack.shape[0]
        for z in range(self.end, high):
            self.planes.hold(max(z - REACH, 0), min(z + REACH + 1, depth))
            self._along_z(z, depth)
        self.end = max(self.end, high)

    def _along_z(self, z: int, depth: int) -> None:
        """The filter's impulse response, which is symmetric: 6 POLE / (POLE^2 - 1) POLE^|k|."""
        gain = 6 * POLE / (POLE * POLE - 1)
        found = np.float32(gain) * self.planes.box(z)
        for k in range(1, REACH + 1):
            both = self.planes.box(_mirrored(z - k, depth)) + self.planes.box(_mirrored(z + k, depth))
            found += np.float32(gain * POLE**k) * both
        self.box(z)[...] = found


def _mirrored(z: int, depth: int) -> int:
    if depth == 1:
        return 0
    period = 2 * (depth - 1)
    return min(z % period, -z % period)

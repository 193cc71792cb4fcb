"""All that is drawn of one raw phantom, and the makers of its slices on each of its grids."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from custom.phantom.grey import GreyParameters
from custom.phantom.raw_cell import RawCell, grow_cell
from custom.phantom.raw_layout import Layout, draw_layout
from custom.phantom.raw_map import Shape
from custom.phantom.raw_paint import Painter, View
from custom.phantom.raw_scan import Detector, FieldFaults
from custom.phantom.scan import ScanParameters

Maker = Callable[[int], tuple[NDArray[Any], ...]]  # of a slice of each of some stacks


@dataclass(frozen=True)
class RawPhantom:
    """A cell, how it lies in its raw scan, and the faults of that scan; slices are the same whatever is made before."""

    layout: Layout
    cell: RawCell
    grey: GreyParameters
    fringe: float
    faults: tuple[FieldFaults, ...]
    seed: int

    @classmethod
    def draw(cls, size: Shape, seed: int) -> RawPhantom:
        """Draw the phantom of a seed, whose raw grid has `size` voxels (Z, Y, X) when its fields are joined."""
        drawing, growing, scanning = (np.random.default_rng(s) for s in np.random.SeedSequence((seed, 2)).spawn(3))
        layout, grey = draw_layout(drawing, size), GreyParameters.draw(scanning)
        faults = tuple(FieldFaults.draw(scanning, number == 0, grey.scale) for number in range(len(layout.fields)))
        cell = grow_cell(growing, seed, layout.cell.shape, beyond=size[0] - layout.cell.shape[0])
        return cls(layout, cell, grey, ScanParameters.draw(scanning).fringe, faults, seed)

    def in_field(self, number: int) -> Maker:
        """Grey values of a field of view."""
        field, cell = self.layout.fields[number], self.layout.cell
        painter = self._painter(
            View(field.shape, lambda q: cell.to_cell(field.to_raw(q)), lambda p: field.to_field(cell.to_raw(p)))
        )
        detector = self._detector(field.shape, self.faults[number], number)
        return lambda z: (detector.detect(z, painter.paint(z)[0]),)

    def in_cell(self) -> Maker:
        """Grey values and lithium on the cell's own grid."""
        shape = self.layout.cell.shape
        painter = self._painter(View(shape, lambda points: points, lambda points: points))
        detector = self._detector(shape, None, len(self.faults))

        def make(z: int) -> tuple[NDArray[Any], ...]:
            attenuation, lithium = painter.paint(z)
            return detector.detect(z, attenuation), lithium

        return make

    def in_raw_grid(self) -> Maker:
        """Lithium on the grid of the joined fields."""
        painter = self._painter(View(self.layout.raw, self.layout.cell.to_cell, self.layout.cell.to_raw))
        return lambda z: (painter.label(z),)

    def _painter(self, view: View) -> Painter:
        return Painter(self.cell, self.layout.film, self.grey, self.fringe, view)

    def _detector(self, shape: Shape, faults: FieldFaults | None, stream: int) -> Detector:
        return Detector(shape, faults, (self.grey.offset, self.grey.scale), (self.seed, stream))

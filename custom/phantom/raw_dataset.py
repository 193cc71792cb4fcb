"""The raw phantom: a whole cell in air, scanned in three fields of view, written slab by slab with its true map."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from custom.base.errors import BadInput
from custom.phantom.cell import VOXEL_SIZE_UM
from custom.phantom.grey import GreyParameters
from custom.phantom.raw_cell import RawCell, grow_cell
from custom.phantom.raw_layout import Layout, cell_shape, draw_layout
from custom.phantom.raw_map import FieldPlace, Shape
from custom.phantom.raw_paint import Painter, View
from custom.phantom.raw_scan import Detector, FieldFaults
from custom.phantom.raw_truth import true_region
from custom.phantom.scan import ScanParameters
from custom.phantom.whole import whole_folder
from custom.phantom.writing import write_json
from custom.stack.writers import open_writer

FIELDS = ("low", "mid", "high")
SUFFIXES = {"tiff": ".tif", "zarr": ".zarr"}
LEAST = 128  # voxels of the cell along y and x: the window that networks see
VOXEL_SIZE = (VOXEL_SIZE_UM,) * 3


def make_raw_phantom(
    output_dir: str | os.PathLike[str],
    size: Shape = (256, 256, 256),
    seed: int = 0,
    output_format: str = "tiff",
    slab: int = 8,
) -> Path:
    """Write the raw scan of a whole cell of this seed and return its folder, which appears when it is complete.

    low, mid and high are its fields of view in order of z, uint16. Beside them stand true_region (JSON: where the cell
    lies in them), true_cell (the cell as its own grid sees it, with noise alone), true_label and raw_label (uint8, 1 =
    lithium, on the cell's grid and on that of the joined fields).

    Args:
        output_dir: folder to make.
        size: (Z, Y, X) of the raw volume, joined.
        seed: of all that is drawn; same seed and size, same bytes.
        output_format: "tiff" or "zarr".
        slab: slices that are held in memory.

    Raises:
        BadInput: a size whose cell would have fewer than 128 voxels along y or x, an unknown format, a folder that
            already holds something or cannot be written.
    """
    target = Path(output_dir)
    if output_format not in SUFFIXES or seed < 0 or slab < 1:
        raise BadInput(f"{target}: a raw phantom needs --format tiff or zarr and --seed 0 or more.")
    if min(size) < 1 or size[0] < LEAST or min(cell_shape(size)[1:]) < LEAST:
        raise BadInput(
            f"{target}: a raw volume of {' x '.join(map(str, size))} voxels (z, y, x) is too small for a cell of at least "
            f"{LEAST} voxels along y and x; give --size 256 or more."
        )
    with whole_folder(target) as folder:
        write_raw_phantom(folder, size, seed, output_format, slab)
    return target


@dataclass(frozen=True)
class RawPhantom:
    """All that is drawn of a raw phantom."""

    layout: Layout
    cell: RawCell
    grey: GreyParameters
    fringe: float
    faults: tuple[FieldFaults, ...]
    seed: int

    @classmethod
    def draw(cls, size: Shape, seed: int) -> RawPhantom:
        drawing, growing, scanning = (np.random.default_rng(s) for s in np.random.SeedSequence((seed, 2)).spawn(3))
        layout, grey = draw_layout(drawing, size), GreyParameters.draw(scanning)
        faults = tuple(FieldFaults.draw(scanning, number == 0, grey.scale) for number in range(len(layout.fields)))
        cell = grow_cell(growing, seed, layout.cell.shape, beyond=size[0] - layout.cell.shape[0])
        return cls(layout, cell, grey, ScanParameters.draw(scanning).fringe, faults, seed)

    def painter(self, view: View) -> Painter:
        return Painter(self.cell, self.layout.film, self.grey, self.fringe, view)

    def detector(self, shape: Shape, faults: FieldFaults | None, stream: int) -> Detector:
        return Detector(shape, faults, (self.grey.offset, self.grey.scale), (self.seed, stream))

    def scanned(self, field: FieldPlace, faults: FieldFaults, stream: int) -> Callable[[int], tuple[NDArray[Any]]]:
        """What makes a slice of a field of view."""
        painter, detector = self.painter(self.of_field(field)), self.detector(field.shape, faults, stream)
        return lambda z: (detector.detect(z, painter.paint(z)[0]),)

    def of_raw_grid(self) -> View:
        return View(self.layout.raw, self.layout.cell.to_cell, self.layout.cell.to_raw)

    def of_field(self, field: FieldPlace) -> View:
        cell = self.layout.cell
        return View(field.shape, lambda q: cell.to_cell(field.to_raw(q)), lambda p: field.to_field(cell.to_raw(p)))

    def of_cell(self) -> View:
        return View(self.layout.cell.shape, lambda points: points, lambda points: points)


def write_raw_phantom(folder: Path, size: Shape, seed: int, output_format: str, slab: int) -> None:
    """Write the files of a raw phantom of any size into a folder."""
    phantom = RawPhantom.draw(size, seed)
    layout, suffix = phantom.layout, SUFFIXES[output_format]
    stacks = [name + suffix for name in FIELDS]
    write_json(
        folder / "true_region.json", true_region(layout, phantom.faults, stacks, VOXEL_SIZE, phantom.grey.offset)
    )

    def write(shape: Shape, kinds: dict[str, str], make: Callable[[int], tuple[NDArray[Any], ...]]) -> None:
        """Stacks of one grid, of names and types, by the function that makes a slice of each."""
        with contextlib.ExitStack() as opened:
            writers = [
                opened.enter_context(open_writer(folder / name, output_format, shape, dtype, VOXEL_SIZE))
                for name, dtype in kinds.items()
            ]
            for start in range(0, shape[0], slab):
                slices = [make(z) for z in range(start, min(start + slab, shape[0]))]
                for writer, planes, dtype in zip(writers, zip(*slices, strict=True), kinds.values(), strict=True):
                    writer.write(start, np.stack(planes).astype(dtype, copy=False))

    for stream, (name, field, faults) in enumerate(zip(FIELDS, layout.fields, phantom.faults, strict=True)):
        write(field.shape, {name: "uint16"}, phantom.scanned(field, faults, stream))
    own, raw = phantom.painter(phantom.of_cell()), phantom.painter(phantom.of_raw_grid())
    plain = phantom.detector(layout.cell.shape, None, len(FIELDS))

    def straight(z: int) -> tuple[NDArray[Any], ...]:
        attenuation, lithium = own.paint(z)
        return plain.detect(z, attenuation), lithium

    write(layout.cell.shape, {"true_cell": "uint16", "true_label": "uint8"}, straight)
    write(layout.raw, {"raw_label": "uint8"}, lambda z: (raw.label(z),))

"""The raw phantom: a whole cell in air, scanned in three fields of view, written slab by slab with its true map."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from custom.base.errors import BadInput
from custom.base.whole_folder import whole_folder
from custom.phantom.cell import VOXEL_SIZE_UM
from custom.phantom.raw_layout import cell_shape
from custom.phantom.raw_map import Shape
from custom.phantom.raw_phantom import Maker, RawPhantom
from custom.phantom.raw_truth import true_region
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
            f"{target}: a raw volume of {' x '.join(map(str, size))} voxels (z, y, x) is too small: it needs {LEAST} "
            f"slices and room for a cell of {LEAST} voxels along y and x; give --size 256 or more."
        )
    with whole_folder(target) as folder:
        writer = RawWriter(folder, RawPhantom.draw(size, seed), output_format, slab)
        writer.write_fields()
        writer.write_truth()
    return target


def ensure_raw_phantom(stack: object, phantom_dir: str | os.PathLike[str]) -> None:
    """Make the raw phantom where a stack, or one of several, lies in its folder, and that is not there yet."""
    several = stack if isinstance(stack, (list, tuple)) else [stack]
    if not Path(phantom_dir).exists() and any(Path(phantom_dir) in Path(one).parents for one in map(str, several)):
        make_raw_phantom(phantom_dir)


class RawWriter:
    """Writes the files of a raw phantom of any size into a folder.

    Args:
        folder: that exists.
        phantom: to write.
        output_format: "tiff" or "zarr".
        slab: slices that are held in memory.
    """

    def __init__(self, folder: Path, phantom: RawPhantom, output_format: str = "tiff", slab: int = 8) -> None:
        self._folder, self._phantom, self._format, self._slab = folder, phantom, output_format, slab

    def write_fields(self) -> None:
        """The fields of view and true_region.json."""
        phantom, suffix = self._phantom, SUFFIXES[self._format]
        stacks = [name + suffix for name in FIELDS]
        region = true_region(phantom.layout, phantom.faults, stacks, VOXEL_SIZE, phantom.grey.offset)
        write_json(self._folder / "true_region.json", region)
        for number, (name, field) in enumerate(zip(FIELDS, phantom.layout.fields, strict=True)):
            self._write(field.shape, {name: "uint16"}, phantom.in_field(number))

    def write_truth(self) -> None:
        """The cell on its own grid, and its lithium on both."""
        cell, raw = self._phantom.layout.cell.shape, self._phantom.layout.raw
        self._write(cell, {"true_cell": "uint16", "true_label": "uint8"}, self._phantom.in_cell())
        self._write(raw, {"raw_label": "uint8"}, self._phantom.in_raw_grid())

    def _write(self, shape: Shape, kinds: Mapping[str, str], make: Maker) -> None:
        """Stacks of one grid, by name and type."""
        with contextlib.ExitStack() as opened:
            writers = [
                opened.enter_context(open_writer(self._folder / name, self._format, shape, dtype, VOXEL_SIZE))
                for name, dtype in kinds.items()
            ]
            for start in range(0, shape[0], self._slab):
                slices = [make(z) for z in range(start, min(start + self._slab, shape[0]))]
                for writer, planes, dtype in zip(writers, zip(*slices, strict=True), kinds.values(), strict=True):
                    writer.write(start, np.stack(planes).astype(dtype, copy=False))

"""An OME-Zarr that several processes write, each some layers of chunks, and that goes on where a kill ended it."""

from __future__ import annotations

import glob
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import zarr

from custom.base.files import sync_folder
from custom.base.part import put_in_place
from custom.stack.writers.encoder import Layout
from custom.stack.writers.pyramid import levels_of
from custom.stack.writers.refusals import write_failed
from custom.stack.writers.zarr import CHUNK, Layers, create_arrays, layers_of

LAYER = CHUNK[0]


class SharedZarr:
    """The folder on its way, the same bytes as the writer of "zarr" leaves.

    Slices come a layer of chunks at a time. Overviews are made of them on the way, so that who writes one slice of a unit, as
    many as one layer of the coarsest overview stands for, writes all of it. A layer is marked when it is on disk.

    Args:
        folder: where it lies until it is whole, with its marks.
        layout: of the stack.
    """

    def __init__(self, folder: Path, layout: Layout) -> None:
        self.folder, self.layout = folder, layout
        self.path = folder / f"{layout.name}.zarr"
        self.marks = folder / "done"
        self.unit = LAYER << (len(levels_of(layout.shape)) - 1)
        self._arrays: list[zarr.Array[Any]] = []
        self._layers: Layers | None = None

    def create(self, final: Path) -> None:
        """Make it, unless it is there, or has its final name; one process does, and removes what a kill left behind."""
        for leftover in final.parent.glob(f".{glob.escape(final.name)}.old-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        made = self.folder / ".making.zarr"
        shutil.rmtree(made, ignore_errors=True)
        for leftover in self.path.rglob("*.partial"):
            leftover.unlink()
        if not self.path.exists() and not (final.exists() and self.whole()):
            shutil.rmtree(self.marks, ignore_errors=True)
            create_arrays(made, self.layout)
            sync_files(made)
            made.rename(self.path)
        self.marks.mkdir(exist_ok=True)

    def units(self, rank: int = 0, world_size: int = 1) -> list[range]:
        """The units of one of several processes, neighbours, as ranges of slices."""
        depth = self.layout.shape[0]
        found = [range(start, min(start + self.unit, depth)) for start in range(0, depth, self.unit)]
        return found[rank * len(found) // world_size : (rank + 1) * len(found) // world_size]

    def done(self, unit: range) -> int:
        """The first slice of a unit that is not written yet, its end where all are."""
        starts = range(unit.start, unit.stop, LAYER)
        return next((start for start in starts if not self._mark(start).exists()), unit.stop)

    def whole(self) -> bool:
        """Whether all slices are written."""
        return all(self.done(unit) == unit.stop for unit in self.units())

    def begin(self, unit: range) -> int:
        """Take up a unit; returns the first slice to be written.

        What was written of it before is read once more, for the overviews.
        """
        # zarr 3.1.6 leaves the config of `open_array` aside where the array is there: a chunk of zeros would be missing
        self._arrays = self._arrays or [
            zarr.open_array(self.path / str(level), mode="r+").with_config({"write_empty_chunks": True})
            for level in range(len(levels_of(self.layout.shape)))
        ]
        self._layers = layers_of(self._arrays, len(self.layout.classes), unit.start)
        first = self.done(unit)
        for start in range(unit.start, first, LAYER):
            self._layers.pass_on(np.asarray(self._arrays[0][start : min(start + LAYER, unit.stop)]))
        self._layers.skip_to(first)
        return first

    def write(self, start: int, slab: npt.NDArray[Any]) -> None:
        """Write the next layer of the unit that was begun, and mark it.

        Raises:
            BadInput: the disk is full or fails; what was written before stays.
        """
        assert self._layers is not None
        try:
            self._layers.append(np.ascontiguousarray(slab, self.layout.dtype))
            self._sync(start, start + len(slab))
            self._mark(start).touch()
            sync_folder(self.marks)
        except OSError as error:
            raise write_failed(self.path, self.layout.nbytes, error) from error

    def _sync(self, start: int, stop: int) -> None:
        """Bring a layer to disk, and those of the overviews that it has completed."""
        for level in range(len(self._arrays)):
            if stop % (LAYER << level) == 0 or stop == self.layout.shape[0]:
                sync_files(self._chunks(level, start))

    def _chunks(self, level: int, start: int) -> Path:
        return self.path / str(level) / "c" / str((start >> level) // LAYER)

    def _mark(self, start: int) -> Path:
        return self.marks / f"{start:08d}"

    def publish(self, final: Path) -> None:
        """Give the whole folder its final name, in place of what has it, unless it has it already."""
        try:
            if self.path.exists():
                put_in_place(self.path, final, synced=True)
        except OSError as error:
            raise write_failed(final, self.layout.nbytes, error) from error

    def read(self, start: int, stop: int) -> npt.NDArray[Any]:
        """Slices that are written."""
        return np.asarray(zarr.open_array(self.path / "0", mode="r")[start:stop])


def sync_files(folder: Path) -> None:
    """Bring all files below a folder to disk; harmless where there is none."""
    for above, _, names in os.walk(folder):
        for name in names:
            descriptor = os.open(os.path.join(above, name), os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        sync_folder(Path(above))

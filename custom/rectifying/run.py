"""Rectifying: the region is found or read, sampled into an unfinished Zarr, and gets its name when it is whole."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from custom.base.cores import cores
from custom.base.errors import BadInput
from custom.rectifying.back import put_back
from custom.rectifying.before import NAME, RECORD, check_finished, is_own, volume_names
from custom.rectifying.finding import found_region
from custom.rectifying.unfinished import Unfinished
from custom.region import read_region, write_region
from custom.region.fill import fill_of
from custom.region.laying import tell_zoom
from custom.region.matching import matched
from custom.region.region_stack import RegionStack
from custom.region.used_range import used_range
from custom.region.writing import as_json
from custom.report.earlier import remove_volumes
from custom.running import OutputFolder
from custom.running.interruption import goes_on, shielded
from custom.running.processes import Gathering
from custom.stack import Stack, fingerprint, remove_scratch
from custom.stack.writers import open_writer
from custom.stack.writers.encoder import Layout
from custom.stack.writers.shared import LAYER, SharedZarr

logger = logging.getLogger("region")


class Rectifying:
    """From raw stacks to the region of interest on disk.

    The same command after whatever ended it goes on with what is left. Several processes share the slices, each some that
    are neighbours, so that each reads its raw slices once; rank 0 finds the region and finishes.

    Args:
        stacks: the raw fields of view, in any order.
        region: a `region.json`; None: it is looked for.
        folder: gets region.zarr (or what `output_format` says) and region.json.
        order: of interpolation: linear, cubic or nearest.
        invert: whether grey values are turned round, also where the record does not say so.
        output_format: a key of `OUTPUT_FORMATS`.
        threads: None: all cores, shared by the processes.
        back: a mask of the region, which is put onto the raw grid in place of all that.
    """

    def __init__(
        self,
        stacks: Sequence[Stack],
        region: str | os.PathLike[str] | None,
        folder: OutputFolder,
        order: str = "linear",
        invert: bool = False,
        output_format: str = "zarr",
        threads: int | None = None,
        back: str | os.PathLike[str] | None = None,
    ) -> None:
        self.stacks, self.given, self.place = tuple(stacks), region, folder
        self.order, self.invert, self.output_format, self.threads = order, invert, output_format, threads
        self.back = back
        self.folder = Path(folder.path)
        self.gathering = Gathering(folder.world_size)
        self.read = None if region is None else read_region(region)
        self.files = [fingerprint(stack) for stack in stacks]
        self.store = Unfinished(self.folder, self._settings())
        self.shared: SharedZarr | None = None
        self.started = time.time()

    def _settings(self) -> dict[str, Any]:
        record = None if self.read is None else as_json(self.read)
        sizes = [stack.voxel_size_um for stack in self.stacks]
        return {
            "stack": sorted(self.files),
            "region": record and {name: entry for name, entry in record.items() if name not in ("about", "found")},
            "voxel size": sizes,
            "order": self.order,
            "invert": self.invert,
        }

    def run(self) -> None:
        """Find what is left, do this process's part of it, and finish.

        Raises:
            BadInput: another run is writing there; a result is there, or an unfinished one of other settings; the region does
                not fit the stacks, or none is found; a full disk; a stack that changed meanwhile.
        """
        if self.back is not None and self.given is not None:
            if self.place.writes:
                put_back(self.stacks, self.given, self.back, self.place, self.output_format, self.threads)
            return
        goes_on(self._kept, speaks=self.place.writes, processes=self.place.world_size)
        if self.place.writes:
            self.place.take(_leave)
            try:
                self._take_up()
            except BaseException:
                self.store.remove_unless_sampled()
                self.place.release()
                raise
        self._together("begin")
        stack = self._opened()
        self.shared = self._shared(stack)
        if self.place.writes:
            self.shared.create(self.folder / f"{NAME}.zarr")
        self._together("created")
        self._sample(stack, self.shared)
        self.gathering.arrive("sampled")
        if self.place.writes:
            self.gathering.wait("sampled")
            self._finish(stack, self.shared)

    def _together(self, point: str) -> None:
        self.gathering.arrive(point)
        self.gathering.wait(point)

    def _take_up(self) -> None:
        if not self.store.begun():
            check_finished(self.place, [stack.path for stack in self.stacks], self.given)
        self.store.begin(self.place.overwrite)
        if self.store.record.exists():
            logger.info("Going on with an unfinished region.")
            return
        region = found_region(self.stacks, self.folder) if self.read is None else self.read
        region, stacks = matched(region, self.stacks)
        region = replace(region, fill=fill_of(region, stacks))
        if self.invert and region.invert is None:
            region = replace(region, invert=used_range(region, stacks))
        tell_zoom(region)
        write_region(self.store.record, region)

    def _opened(self) -> RegionStack:
        region, stacks = matched(read_region(self.store.record), self.stacks)
        threads = self.threads or max(1, cores() // self.place.world_size)
        return RegionStack(region, stacks, self.order, LAYER, threads)

    def _shared(self, stack: RegionStack) -> SharedZarr:
        layout = Layout(NAME, stack.shape, stack.dtype, stack.voxel_size_um, stack.place)
        return SharedZarr(self.store.folder, layout)

    def _sample(self, stack: RegionStack, shared: SharedZarr) -> None:
        """A layer is written while the next one is sampled."""
        units = [unit for unit in shared.units(self.place.rank, self.place.world_size) if shared.done(unit) < unit.stop]
        total = sum(unit.stop - shared.done(unit) for unit in units)
        bar = tqdm(total=total, desc="sampling", unit="slice", delay=1, disable=None if self.place.writes else True)
        with ThreadPoolExecutor(1, "region-writer") as writer, bar:
            for unit in units:
                writing: Future[None] | None = None
                for start in range(shared.begin(unit), unit.stop, LAYER):
                    slab = stack.read(start, min(start + LAYER, unit.stop))
                    if writing is not None:
                        writing.result()
                    writing = writer.submit(shared.write, start, slab)
                    bar.update(len(slab))
                if writing is not None:
                    writing.result()

    def _kept(self) -> str | None:
        done = 0 if self.shared is None else len(list(self.shared.marks.glob("*"))) * LAYER
        return f"{done} slices are finished and kept in {self.folder}" if done else None

    def _finish(self, stack: RegionStack, shared: SharedZarr) -> None:
        if [fingerprint(one) for one in self.stacks] != self.files:
            raise BadInput(
                f"{self.stacks[0].path}: changed while it was read, so that its parts may not belong together; give the command "
                "again with --overwrite true when nothing writes to it any more."
            )
        with shielded(last=True):
            written = self._written(stack, shared)
            if not is_own(self.place, self.given):
                write_region(self.folder / RECORD, stack.region)
            remove_volumes(self.folder, volume_names(NAME), keep=[written])
            self.store.remove()
            remove_scratch(self.folder)
        self.place.release()
        logger.info("%s", _told(stack, written, time.time() - self.started))

    def _written(self, stack: RegionStack, shared: SharedZarr) -> Path:
        """The volume under its name."""
        if self.output_format == "zarr":
            final = self.folder / f"{NAME}.zarr"
            shared.publish(final)
            return final
        layout = shared.layout
        opened = open_writer(
            self.folder / NAME,
            self.output_format,
            layout.shape,
            layout.dtype,
            layout.voxel_size_um,
            overwrite=True,
            place=layout.place,
        )
        with opened as writer:
            for start in range(0, layout.shape[0], LAYER):
                writer.write(start, shared.read(start, min(start + LAYER, layout.shape[0])))
        return writer.path


def _leave(folder: Path) -> None:
    if not Unfinished.there(folder):
        remove_scratch(folder)


def _told(stack: RegionStack, written: Path, seconds: float) -> str:
    size = " x ".join(map(str, stack.shape))
    um = "" if stack.voxel_size_um is None else " of {:.4g} x {:.4g} x {:.4g} um".format(*stack.voxel_size_um)
    return f"The region: {size} voxels (z, y, x){um}.\nIn {written.parent}: {written.name} and {RECORD}, after {seconds:.1f} s."

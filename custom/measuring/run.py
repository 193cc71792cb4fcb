"""Measuring a cell: slab after slab into a store that survives a kill, at the end into figures, tables and a page."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from custom.base.cores import cores
from custom.base.errors import BadInput
from custom.measuring.cell_slab import CellSlab
from custom.measuring.label_file import open_label_writer
from custom.measuring.quantities import Quantities
from custom.measuring.reading import Cell
from custom.measuring.results import Results, result_names
from custom.report.earlier import check_output
from custom.running import OutputFolder
from custom.running.interruption import goes_on
from custom.running.processes import Gathering
from custom.running.slab_store import SlabStore
from custom.speed.allocation import release_freed_memory
from custom.stack import Slab, Stack, fingerprint, slabs

STORE = ".measured"


class Measuring:
    """What is measured of one cell, from the first slab to quantities.json and report.html.

    The same command after whatever ended a run goes on with what is left. Several processes share the slabs by their rank;
    rank 0 finishes.

    Args:
        opened: opens the cell.
        slab_height: slices that are measured at once.
        folder: gets the result.
        thresholds: of the probability, at which the figures are told too.
        label_format: of agglomerates.*, where each voxel has its agglomerate's number: a key of `OUTPUT_FORMATS`; None: that
            is not kept.
        skeletons: of how many of the largest agglomerates the branches are measured.
    """

    def __init__(
        self,
        opened: Callable[[], Cell],
        slab_height: int,
        folder: OutputFolder,
        thresholds: Sequence[float] = (),
        label_format: str | None = None,
        skeletons: int = 0,
    ) -> None:
        self.opened, self.slab_height = opened, slab_height
        self.thresholds, self.label_format, self.skeletons = tuple(thresholds), label_format, skeletons
        self.place, self.folder = folder, Path(folder.path)

    def run(self) -> None:
        """Measure what is left for this process, and finish.

        Raises:
            BadInput: what `open_cell` refuses; another run is writing there, a result is there, or an unfinished one of other
                settings; a damaged file, a full disk.
        """
        cell = self.opened()
        parts, gathering = slabs(cell.mask, self.slab_height), Gathering(self.place.world_size)
        quantities = Quantities(cell, self.thresholds)
        store = SlabStore(self.folder / STORE, self.settings(cell))

        def kept() -> str | None:
            done = sum(store.has(part.start) for part in parts)
            return f"{done} of {len(parts)} slabs are measured and kept in {self.folder}" if done else None

        goes_on(kept, speaks=self.place.writes, processes=self.place.world_size)
        self.place.take()
        if self.place.writes:
            if store.begun() != store.settings:
                check_output(self.folder, self.place.overwrite, result_names(quantities), [cell.mask.path])
            store.begin(self.place.overwrite)
        gathering.arrive("begin")
        gathering.wait("begin")
        mine = [part for part in parts[self.place.rank :: self.place.world_size] if not store.has(part.start)]
        self._measure(cell, mine, quantities, store)
        gathering.arrive("finish")
        if not self.place.writes:
            return
        gathering.wait("finish")
        for part in parts:
            quantities.add(part.start, store.read(part.start))
        release_freed_memory()  # the slabs', some 200 MB
        self._finish(cell, parts, quantities, store)
        store.remove()
        self.place.release()

    def _measure(self, cell: Cell, parts: Sequence[Slab], quantities: Quantities, store: SlabStore) -> None:
        """Read one slab after the other; a thread a core measures them."""

        def measure(slab: CellSlab) -> None:
            store.write(slab.start, quantities.of_slab(slab))

        threads = self.place.share(cores())
        bar = tqdm(total=len(parts), desc="measuring", unit="slab", disable=None if self.place.writes else True)
        with ThreadPoolExecutor(threads, "measuring") as pool, bar:
            measured: deque[Future[None]] = deque()
            slabs_read = cell.slabs(parts)
            for _ in parts:
                if len(measured) == threads:  # no more in memory than are measured, and the one that is read
                    measured.popleft().result()
                    bar.update()
                measured.append(pool.submit(measure, next(slabs_read)))
            for one in measured:
                one.result()
                bar.update()

    def _finish(self, cell: Cell, parts: Sequence[Slab], quantities: Quantities, store: SlabStore) -> None:
        results, threads = Results(cell, quantities, self.skeletons), cores()
        if self.label_format is None:
            results.number(parts, threads)
        else:
            count = len(results.pieces.table["voxels"])
            with open_label_writer(self.folder, self.label_format, cell.mask, count) as writer:
                results.number(parts, threads, writer)
        release_freed_memory()
        if [fingerprint(stack) for stack in _inputs(cell)] != store.settings["files"]:
            raise BadInput(
                f"{cell.mask.path}: it, or its probability, changed while it was measured; give the command again with --overwrite "
                "true when nothing writes to it any more"
            )
        results.write(self.folder)

    def settings(self, cell: Cell) -> dict[str, Any]:
        """Whatever decides what the figures are; JSON types."""
        surfaces: list[Any] = []
        if cell.electrodes is not None:
            across = [
                np.linspace(0, length - 1, 5)
                for axis, length in enumerate(cell.mask.shape)
                if axis != cell.electrodes.axis
            ]
            surfaces = [surface.heights(*across).round(4).tolist() for surface in cell.electrodes.surfaces]
        return {
            "files": [fingerprint(stack) for stack in _inputs(cell)],
            "slab_height": self.slab_height,
            "thresholds": list(self.thresholds),
            "lithium": list(cell.lithium),
            "classes": list(cell.classes),
            "electrodes": surfaces,
            "voxel_size": list(cell.voxel_size),
        }


def _inputs(cell: Cell) -> list[Stack]:
    return [stack for stack in (cell.mask, cell.probability, cell.deviation) if stack is not None]

"""Segmenting one stack: slab after slab into a store that survives a kill, at the end into the result."""

from __future__ import annotations

import atexit
import logging
import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from ignite.engine import Engine, Events
from monai.engines import Evaluator

from custom.base.errors import BadInput
from custom.quantities.quantity import Quantity
from custom.running.interruption import goes_on, received, shielded
from custom.running.processes import Gathering
from custom.running.taken import release_folder
from custom.segmenting.assembly import assemble
from custom.segmenting.keeping import KeepSlabs
from custom.segmenting.kept import KeptSlabs
from custom.segmenting.result import Result, volumes
from custom.segmenting.results import STORE, check_finished, take_output
from custom.segmenting.settings import Windows, settings_of, told_of
from custom.segmenting.store import SlabStore
from custom.stack import GreyWindow, Slab, Stack, fingerprint, remove_scratch
from custom.stack.writers.writer import StackWriter

logger = logging.getLogger("segmentation")


class Segmentation:
    """What is found in the slabs of one stack, from the first slab to the finished mask.

    `begin` takes the output folder, and `run` leads what is left for this process through the evaluator, whose handler
    this is: each slab that is finished is kept (`KeepSlabs`), and in the end `finish` turns them into mask, summary.json
    and overlays/. The same command after whatever ended a run goes on with what is left. Several processes share the
    slabs by their rank; rank 0 finishes.

    Args:
        stack: the stack.
        slabs: all its slabs, in order.
        window: the stack's grey window.
        network, inferer: what finds it.
        device: where that is done.
        settings: whatever else decides the mask (weights' digest, threshold, ...); slabs of other settings are not mixed in.
        open_writer: opens the writer of a result, given its path without suffix, and what it holds.
        output_dir: gets the result.
        results: what may be written, the mask first; what is wanted is.
        quantities: what is measured, for summary.json and tables beside it.
        overwrite: whether earlier results, or unfinished ones of other settings, may be replaced.
        rank, world_size: this process among those that share the slabs.
        job: the name of torchrun's job, where there is one.
        weights, version: the paths of the network's weights and the bundle's version, for summary.json.
    """

    def __init__(
        self,
        stack: Stack,
        slabs: Sequence[Slab],
        window: GreyWindow,
        network: torch.nn.Module,
        inferer: Windows,
        device: str | torch.device,
        settings: Mapping[str, Any],
        open_writer: Callable[..., StackWriter],
        output_dir: str | os.PathLike[str],
        results: Sequence[Result],
        quantities: Sequence[Quantity],
        overwrite: bool = False,
        rank: int = 0,
        world_size: int = 1,
        job: str | None = None,
        weights: Any = None,
        version: str | None = None,
    ) -> None:
        self.stack = stack
        self.slabs = slabs
        self.window = window
        self.open_writer = open_writer
        self.results, self.quantities = volumes(results), tuple(quantities)
        self.folder = Path(output_dir)
        self.overwrite = overwrite
        self.rank, self.world_size = rank, world_size
        self.job = job
        self.gathering = Gathering(world_size)
        self.files = fingerprint(stack)
        decides = settings_of(network, window, inferer, device, settings)
        self.record = told_of(network, inferer, decides, weights, version)
        measured = [quantity.name for quantity in quantities]
        self.store = SlabStore(self.folder / STORE, {"stack": self.files, **decides, "quantities": measured})
        self.kept = KeptSlabs(self.store, [result for result in self.results if result.wanted], quantities)
        self.holds = False
        self.writers: dict[str, StackWriter] = {}
        self.started = time.time()
        self.keeping = KeepSlabs(self.kept, stack.shape[0])

    def begin(self) -> None:
        """Take the output folder, and find what an earlier run left there.

        Raises:
            BadInput: another run is writing there, a result is there, or an unfinished one of other settings.
        """
        goes_on(self._kept, speaks=self.rank == 0, processes=self.world_size)
        if self.rank == 0:
            take_output(self.folder, self.job)
            self.holds = True
            atexit.register(self._let_go)
            try:
                self._take_up()
            except BaseException:
                self._let_go()
                raise
        self.gathering.arrive("begin")
        self.gathering.wait("begin")

    def _take_up(self) -> None:
        if self.store.begun() != self.store.settings:
            inputs = [self.stack.path, *self.stack.files]
            check_finished(self.folder, self.overwrite, inputs, self.results, self.quantities)
        if self.store.begin(self.overwrite):
            logger.info(
                "Going on with an unfinished segmentation: %d of %d slabs are done.", self._done(), len(self.slabs)
            )
        for result in self.kept.results:
            self.writers[result.name] = self.open_writer(
                self.folder / result.name,
                shape=self.stack.shape,
                dtype=result.dtype,
                voxel_size_um=self.stack.voxel_size_um,
                place=self.stack.place,
                classes=result.values,
                overwrite=True,
            )

    def _let_go(self) -> None:
        for writer in self.writers.values():
            writer.abort()  # harmless when it is closed
        if not self.holds:
            return
        if self.store.begun() == self.store.settings and not self._done():
            self.store.remove()
        self.holds = False
        release_folder(self.folder)
        atexit.unregister(self._let_go)

    def _done(self) -> int:
        return sum(self.store.has(slab.start) for slab in self.slabs)

    def _kept(self) -> str | None:
        done = self._done()
        return f"{done} of {len(self.slabs)} slabs are finished and kept in {self.folder}" if done else None

    def _tell_what_is_kept(self) -> None:
        # rank 0, once: Ignite tells its handlers of an error twice
        if self.holds and received() is None and (kept := self._kept()):
            logger.info("%s: the same command goes on.", kept)

    def pending(self) -> list[Slab]:
        """The slabs that are left for this process: every `world_size`th, without those that are done."""
        return [slab for slab in self.slabs[self.rank :: self.world_size] if not self.store.has(slab.start)]

    def run(self, evaluator: Evaluator) -> None:
        """Segment what is left for this process and finish, once `begin` has found what that is.

        The evaluator's data set gets its items here, so that it may have been built at any time before.

        Args:
            evaluator: its `data_loader` is a `DataLoader` over a data set with a list `data`.

        Raises:
            BadInput: as `finish`, and whatever reading the stack raises.
        """
        grey = {"grey_window": (self.window.lower, self.window.upper), "surround": self.window.surround}
        loader: Any = evaluator.data_loader
        loader.dataset.data = [{"image": slab, "start": slab.start, **grey} for slab in self.pending()]
        evaluator.state.epoch_length = len(loader)
        if len(loader):
            evaluator.run()
        self.finish()

    def attach(self, engine: Engine) -> None:
        """MONAI's handler protocol."""
        engine.add_event_handler(Events.STARTED, self.keeping.start)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self)
        engine.add_event_handler(Events.COMPLETED, self.keeping.close)
        engine.add_event_handler(Events.EXCEPTION_RAISED, self._stop)

    def __call__(self, engine: Engine) -> None:
        """Keep what a slab gave."""
        self.keeping(engine)

    def _stop(self, engine: Engine, error: BaseException) -> None:
        try:
            self.keeping.close(engine)
        finally:
            self._tell_what_is_kept()
            self._let_go()
        raise error

    def finish(self) -> None:
        """Once all processes are through, put the slabs together, and let go of the folder.

        Raises:
            BadInput: the stack's files changed while they were read, or the disk is full; all slabs stay.
        """
        self.gathering.arrive("finish")
        if self.rank:
            return
        try:
            self.gathering.wait("finish")
            if fingerprint(self.stack) != self.files:
                raise BadInput(
                    f"{self.stack.path}: changed while it was read, so that its parts may not belong together; give the "
                    "command again with --overwrite true when nothing writes to it any more"
                )
            self._assemble()
            with shielded(last=True):
                self.store.remove()
                remove_scratch(self.folder)
        finally:
            self._let_go()

    def _assemble(self) -> None:
        record = {**self.record, "seconds": round(time.time() - self.started, 2)}
        try:
            assemble(self.stack, self.slabs, self.kept, self.writers, self.folder, record, self.results)
        except BaseException:
            self._tell_what_is_kept()
            raise

"""Segmenting one stack: slab after slab into a store that survives a kill, at the end into the result."""

from __future__ import annotations

import atexit
import logging
import math
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from ignite.engine import Engine, Events
from monai.engines import SupervisedEvaluator

from custom.base.errors import BadInput
from custom.guard import Guard
from custom.guard.guard import OFF
from custom.quantities.quantity import Quantity
from custom.running import OutputFolder
from custom.running.interruption import goes_on, received, shielded
from custom.running.processes import Gathering
from custom.running.slab_store import SlabStore
from custom.segmenting.agreement import MembersAgreement
from custom.segmenting.assembly import assemble
from custom.segmenting.keeping import KeepSlabs
from custom.segmenting.kept import KeptSlabs
from custom.segmenting.result import Result, volumes
from custom.segmenting.results import STORE, check_finished, take_output
from custom.segmenting.settings import settings_of, told_of, windows_of
from custom.speed import prepare
from custom.speed.engines import resolved_engine
from custom.speed.quantised import quantised_beside
from custom.stack import Scaling, Slab, Stack, fingerprint, grey_window, remove_scratch, slabs
from custom.stack.writers import StackWriter, open_writer

logger = logging.getLogger("segmentation")


class Weights(Protocol):
    """What is known of a network's weights, as `Trained` knows it."""

    weights: Any
    records: Any

    def sha256(self) -> Any: ...


class Segmentation:
    """What is found in the slabs of one stack, from the first slab to the finished mask.

    `run` has the steps in their order. It leads what is left for this process through the evaluator, whose handler this is:
    each slab that is finished is kept (`KeepSlabs`), and in the end `finish` turns them into mask, summary.json and
    overlays/. The same command after whatever ended a run goes on with what is left. Several processes share the slabs by
    their rank; rank 0 finishes.

    Args:
        stack: the stack.
        scaling: how its grey window is found, see `custom.stack.grey_window`.
        slab_height: slices that are segmented at once.
        results: what may be written, the mask first; what is wanted is.
        quantities: what is measured, for summary.json and tables beside it.
        settings: whatever decides the mask and no object knows, such as the threshold; slabs of other settings are not mixed
            in. ``compile``: whether the network is compiled. ``engine``: what runs it, see `resolved_engine`. ``guard``: how
            the stack is compared with the training's, see `Guard`, which decides no mask.
        output_format: of the volumes, a key of `OUTPUT_FORMATS`.
        folder: gets the result.
        weights: knows the path, or paths, of the network's weights, their digest, and the records of their trainings.
        version: the bundle's, for summary.json.
    """

    def __init__(
        self,
        stack: Stack,
        scaling: Scaling,
        slab_height: int,
        results: Sequence[Result],
        quantities: Sequence[Quantity],
        settings: Mapping[str, Any],
        output_format: str,
        folder: OutputFolder,
        weights: Weights,
        version: str | None = None,
    ) -> None:
        self.stack, self.weights, self.version = stack, weights, version
        self.slabs = slabs(stack, slab_height)
        self.window = grey_window(stack, **scaling)
        self.wanted, self.results, self.quantities = tuple(results), volumes(results), tuple(quantities)
        self.settings = {"threshold": settings["threshold"], "slab_height": slab_height}
        others = {name: value for name, value in settings.items() if name not in ("guard", "engine")}
        self.engine = settings.get("engine", "torch")
        self.settings |= {**others, "output_format": output_format}
        self.guard = Guard(settings.get("guard", OFF), weights.records)
        self.output_format = output_format
        self.place, self.folder = folder, Path(folder.path)
        self.gathering = Gathering(folder.world_size)
        self.files = fingerprint(stack)
        self.holds = False
        self.writers: dict[str, StackWriter] = {}
        self.started = time.time()

    def run(self, evaluator: SupervisedEvaluator) -> None:
        """Segment what is left for this process, and finish.

        The evaluator's data set gets its items here, so that it may have been built at any time before.

        Args:
            evaluator: its `data_loader` is a `DataLoader` over a data set with a list `data`; its network, on its device, has
                its weights.

        Raises:
            BadInput: another run is writing there, a result is there, or an unfinished one of other settings; as `finish`,
                and whatever reading the stack raises; the guard refuses the stack.
        """
        like = self.guard.judge(self.stack, self.window, self.place.writes)
        self._keep_what(evaluator)
        self.record |= {} if like is None else {"guard": like}
        self.begin()
        compiles, engine = self.settings["compile"], self.settings["engine"]
        windows = windows_of(evaluator)
        prepare(evaluator.network, windows, compiles=compiles, engine=engine, quantised=self.quantised)
        if not self.settings["compile"]:
            self.keeping.agreement = MembersAgreement(evaluator.network)
        loader: Any = evaluator.data_loader
        grey = {"grey_window": (self.window.lower, self.window.upper), "surround": self.window.surround}
        loader.dataset.data = [{"image": slab, "start": slab.start, **grey} for slab in self.pending()]
        evaluator.state.epoch_length = len(loader)
        if len(loader):
            evaluator.run()
        self.finish()

    def _keep_what(self, evaluator: SupervisedEvaluator) -> None:
        """Find what decides the mask, and where finished slabs of it are kept."""
        weights, wanted = self.weights.sha256(), self.wanted
        device, voxels = evaluator.state.device, math.prod(self.stack.shape)
        self.settings["engine"] = resolved_engine(self.engine, device, voxels, self.settings["compile"])
        self.quantised = quantised_beside(self.weights.weights, weights) if self.settings["engine"] == "int8" else None
        self.settings |= {"quantised": self.quantised.sha256} if self.quantised else {}
        decides = settings_of(evaluator, self.stack, self.window, weights, wanted, self.quantities, self.settings)
        self.record = told_of(evaluator, decides, self.weights.weights, self.version)
        self.record |= {"quantised": self.quantised.told} if self.quantised else {}
        measured = [quantity.name for quantity in self.quantities]
        self.store = SlabStore(self.folder / STORE, {"stack": self.files, **decides, "quantities": measured})
        self.kept = KeptSlabs(self.store, [result for result in self.results if result.wanted], self.quantities)
        self.keeping = KeepSlabs(self.kept, self.stack.shape[0])

    def begin(self) -> None:
        """Take the output folder, and find what an earlier run left there.

        Raises:
            BadInput: another run is writing there, a result is there, or an unfinished one of other settings.
        """
        goes_on(self._kept, speaks=self.place.writes, processes=self.place.world_size)
        if self.place.writes:
            take_output(self.place)
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
            check_finished(self.folder, self.place.overwrite, inputs, self.results, self.quantities)
        if self.store.begin(self.place.overwrite):
            logger.info(
                "Going on with an unfinished segmentation: %d of %d slabs are done.", self._done(), len(self.slabs)
            )
        for result in self.kept.results:
            self.writers[result.name] = open_writer(
                self.folder / result.name,
                self.output_format,
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
        self.place.release()
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
        return [slab for slab in self.slabs[self.place.rank :: self.place.world_size] if not self.store.has(slab.start)]

    def attach(self, engine: Engine) -> None:
        """MONAI's handler protocol."""
        engine.add_event_handler(Events.STARTED, self._start)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self)
        engine.add_event_handler(Events.COMPLETED, self._close)
        engine.add_event_handler(Events.EXCEPTION_RAISED, self._stop)

    def _start(self, engine: Engine) -> None:
        self.keeping.start(engine)

    def __call__(self, engine: Engine) -> None:
        """Keep what a slab gave."""
        self.keeping(engine)

    def _close(self, engine: Engine) -> None:
        self.keeping.close(engine)

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
        if not self.place.writes:
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

"""Segmenting one stack: slab after slab into a store that survives a kill, at the end into the result."""

from __future__ import annotations

import atexit
import logging
import os
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ignite.engine import Engine, Events

from custom.base.errors import BadInput
from custom.running.interruption import goes_on, received, shielded
from custom.running.processes import Gathering
from custom.running.taken import release_folder
from custom.segmenting.assembly import assemble
from custom.segmenting.pictures import Richest
from custom.segmenting.results import RESULTS, STORE, check_finished, take_output
from custom.speed.allocation import release_freed_memory
from custom.stack import Slab, SlabStore, Stack, fingerprint, remove_scratch
from custom.stack.writers.writer import StackWriter

logger = logging.getLogger("segmentation")

BETWEEN_RELEASES = (
    4_000_000  # voxels; what is released has to be taken anew, 5 % of the time if done for every small slab
)


class Segmentation:
    """What is found in the slabs of one stack, from the first slab to the finished mask.

    `begin` takes the output folder, `pending` are the slabs that are left for this process, the handler keeps each slab
    that the evaluator finishes, and `finish` turns them into mask, summary.json and overlays/. The same command after
    whatever ended a run goes on with what is left. Several processes share the slabs by their rank; rank 0 finishes.

    Args:
        stack: the stack.
        slabs: all its slabs, in order.
        settings: whatever else decides the mask (weights, threshold, ...); slabs of other settings are not mixed in.
        open_writer: opens the writer of a result, given its path without suffix.
        output_dir: gets the result.
        record: what else summary.json says.
        overwrite: whether earlier results, or unfinished ones of other settings, may be replaced.
        probability: whether the probability is kept too, as uint8.
        uncertainty: whether the standard deviation of the members' probabilities is kept too, as uint8.
        thresholds: those that the evaluator's postprocessing counts the voxels above for, in summary.json.
        rank, world_size: this process among those that share the slabs.
        job: the name of torchrun's job, where there is one.
    """

    def __init__(
        self,
        stack: Stack,
        slabs: Sequence[Slab],
        settings: Mapping[str, Any],
        open_writer: Callable[[Path], StackWriter],
        output_dir: str | os.PathLike[str],
        record: Mapping[str, Any],
        overwrite: bool = False,
        probability: bool = False,
        uncertainty: bool = False,
        thresholds: Sequence[float] = (),
        rank: int = 0,
        world_size: int = 1,
        job: str | None = None,
    ) -> None:
        self.stack = stack
        self.slabs = slabs
        self.open_writer = open_writer
        kept = {"mask": True, "probability": probability, "uncertainty": uncertainty}
        self.results = tuple(name for name in RESULTS if kept[name])
        self.thresholds = tuple(thresholds)
        self.folder = Path(output_dir)
        self.record = dict(record)
        self.overwrite = overwrite
        self.rank, self.world_size = rank, world_size
        self.job = job
        self.gathering = Gathering(world_size)
        self.files = fingerprint(stack)
        self.store = SlabStore(self.folder / STORE, {"stack": self.files, **settings})
        self.holds = False
        self.writers: dict[str, StackWriter] = {}
        self.started = time.time()
        self.richest = Richest(stack.shape[0])
        self.voxels = self.released = 0
        self.writing: Future[None] | None = None

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
            check_finished(self.folder, self.overwrite, [self.stack.path, *self.stack.files])
        if self.store.begin(self.overwrite):
            logger.info(
                "Going on with an unfinished segmentation: %d of %d slabs are done.", self._done(), len(self.slabs)
            )
        for result in self.results:
            self.writers[result] = self.open_writer(self.folder / result)

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

    def attach(self, engine: Engine) -> None:
        """MONAI's handler protocol."""
        engine.add_event_handler(Events.STARTED, self._start)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self)
        engine.add_event_handler(Events.COMPLETED, self._end)
        engine.add_event_handler(Events.EXCEPTION_RAISED, self._stop)

    def _start(self, engine: Engine) -> None:
        self.pool = ThreadPoolExecutor(1, thread_name_prefix="slab-writer")
        self.evaluating = time.time()

    def __call__(self, engine: Engine) -> None:
        batch: Any = engine.state.batch
        output: Any = engine.state.output
        for item, found in zip(batch, output, strict=True):
            mask = found["pred"][0].to(torch.uint8).cpu().numpy()
            kept = {name: to_uint8(found[name][0]) for name in self.results if name != "mask"}
            above = found["pred_above"].tolist() if self.thresholds else ()
            start, outside = int(item["start"]), item.get("outside")
            grey = self.richest.of_slab(start, mask, item["image"][0], None if outside is None else outside[0])
            # one slab is written while the next one is computed; waiting for the one before bounds the memory
            self._written()
            self.writing = self.pool.submit(
                self.store.write,
                start,
                mask,
                int(item["nonfinite"]),
                0 if outside is None else int(outside.sum()),
                **kept,
                above=above,
                grey=grey,
            )
            self.voxels += mask.size
        engine.state.batch = engine.state.output = None  # else they stay in memory while the next slab is computed
        if self.voxels - self.released >= BETWEEN_RELEASES:
            release_freed_memory()
            self.released = self.voxels
        engine.state.Mvoxel_s = self.voxels / 1e6 / (time.time() - self.evaluating)  # type: ignore[attr-defined]

    def _written(self) -> None:
        if self.writing is not None:
            waiting, self.writing = self.writing, None
            waiting.result()

    def _end(self, engine: Engine) -> None:
        self._written()
        self.pool.shutdown()

    def _stop(self, engine: Engine, error: BaseException) -> None:
        try:
            self._written()
        finally:
            self.pool.shutdown()
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
            assemble(self.stack, self.slabs, self.store, self.writers, self.folder, record, self.thresholds)
        except BaseException:
            self._tell_what_is_kept()
            raise


def to_uint8(values: torch.Tensor) -> np.ndarray:
    """Values in [0, 1] as round(255 value)."""
    found: np.ndarray = (values * 255).round().to(torch.uint8).cpu().numpy()
    return found

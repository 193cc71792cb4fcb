"""What is found in each slab, kept on disk while the next one is computed."""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from ignite.engine import Engine

from custom.segmenting.agreement import MembersAgreement
from custom.segmenting.kept import KeptSlabs, found_slab
from custom.segmenting.pictures import Richest
from custom.speed.allocation import release_freed_memory

# voxels; what is released has to be taken anew, 5 % of the time if done for every small slab
BETWEEN_RELEASES = 4_000_000


COUNTED = ("_above", "_sums")  # how keys of what the evaluator counted end


class KeepSlabs:
    """Measures what the evaluator found in a slab and writes it to the store, in a thread; called after each batch, a list of slabs.

    Args:
        kept: takes the slabs.
        slices: of the stack.

    Attributes:
        agreement: counts how far the members of an ensemble agree, where one runs.
    """

    def __init__(self, kept: KeptSlabs, slices: int) -> None:
        self.kept = kept
        self.richest = Richest(slices, len(kept.classes))
        self.voxels = self.released = 0
        self.writing: Future[None] | None = None
        self.agreement: MembersAgreement | None = None

    def start(self, engine: Engine) -> None:
        """Before the first slab."""
        self.pool = ThreadPoolExecutor(1, thread_name_prefix="slab-writer")
        self.evaluating = time.time()

    def __call__(self, engine: Engine) -> None:
        """Take over what the batch and the output of an iteration hold."""
        batch: Any = engine.state.batch
        output: Any = engine.state.output
        for item, found in zip(batch, output, strict=True):
            self._keep(item, found)
        engine.state.batch = engine.state.output = None  # else they stay in memory while the next slab is computed
        if self.voxels - self.released >= BETWEEN_RELEASES:
            release_freed_memory()
            self.released = self.voxels
        engine.state.Mvoxel_s = self.voxels / 1e6 / (time.time() - self.evaluating)  # type: ignore[attr-defined]

    def _keep(self, item: dict[str, Any], found: dict[str, Any]) -> None:
        start, outside = int(item["start"]), item.get("outside")
        results = {result.name: result.take(found) for result in self.kept.results}
        counts = {str(name): value.numpy(force=True) for name, value in found.items() if str(name).endswith(COUNTED)}
        counts |= self.agreement.taken() if self.agreement else {}
        mask = results["mask"]
        grey = self.richest.of_slab(start, mask, item["image"][0], None if outside is None else outside[0])
        # waiting for the slab before bounds the memory, and so does keeping grey values of their type in place of the image
        self._written()
        self.writing = self.pool.submit(self.kept.write, start, found_slab(item, results, counts), grey)
        self.voxels += mask.size

    def _written(self) -> None:
        if self.writing is not None:
            waiting, self.writing = self.writing, None
            waiting.result()

    def close(self, engine: Engine) -> None:
        """Wait for the last slab; raises what went wrong in writing it."""
        try:
            self._written()
        finally:
            self.pool.shutdown()
            if self.agreement:
                self.agreement.leave()

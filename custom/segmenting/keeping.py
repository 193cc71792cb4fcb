"""What is found in each slab, kept on disk while the next one is computed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from ignite.engine import Engine

from custom.segmenting.pictures import Richest
from custom.speed.allocation import release_freed_memory
from custom.stack import SlabStore

# voxels; what is released has to be taken anew, 5 % of the time if done for every small slab
BETWEEN_RELEASES = 4_000_000


class KeepSlabs:
    """Writes what the evaluator found in a slab to the store, in a thread; called after each batch, a list of slabs.

    Args:
        store: takes the slabs.
        results: the names of what is kept, the mask among them.
        counts: whether the voxels above several thresholds were counted, under ``pred_above``.
        slices: of the stack.
    """

    def __init__(self, store: SlabStore, results: Sequence[str], counts: bool, slices: int) -> None:
        self.store = store
        self.others = [name for name in results if name != "mask"]
        self.counts = counts
        self.richest = Richest(slices)
        self.voxels = self.released = 0
        self.writing: Future[None] | None = None

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
        mask = found["pred"][0].to(torch.uint8).cpu().numpy()
        kept = {name: to_uint8(found[name][0]) for name in self.others}
        above = found["pred_above"].tolist() if self.counts else ()
        start, outside = int(item["start"]), item.get("outside")
        grey = self.richest.of_slab(start, mask, item["image"][0], None if outside is None else outside[0])
        # waiting for the slab before bounds the memory
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


def to_uint8(values: torch.Tensor) -> np.ndarray:
    """Values in [0, 1] as round(255 value)."""
    found: np.ndarray = (values * 255).round().to(torch.uint8).cpu().numpy()
    return found

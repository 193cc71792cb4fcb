"""Slab after slab into the mask file; at the end summary.json and overlay pictures."""

from __future__ import annotations

import logging
import os
import platform
import shlex
import shutil
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import monai
import numpy as np
import torch
from ignite.engine import Engine, Events

from custom.files import complete_file
from custom.handlers.results import remove_masks
from custom.metrics import lithium_summary
from custom.report import MASK_COLOURS, overlay_mask, save_overlay, write_json
from custom.stack import Stack
from custom.stack.writers.writer import StackWriter

logger = logging.getLogger("segmentation")


class Segmentation:
    """Writes what the evaluator finds in the slabs of one stack.

    Args:
        stack: the stack; its slabs come in order, with ``start`` in the batch and the binary ``pred`` (1, h, Y, X).
        writer: takes the mask, uint8 {0, 1}.
        output_dir: gets summary.json and overlays/.
        record: what else summary.json says (weights and their sha256, threshold, settings).
        pictures: the stack is cut into so many parts along z; of each the slice with most lithium is shown.
    """

    def __init__(
        self,
        stack: Stack,
        writer: StackWriter,
        output_dir: str | os.PathLike[str],
        record: Mapping[str, Any],
        pictures: int = 5,
    ) -> None:
        self.stack = stack
        self.writer = writer
        self.folder = Path(output_dir)
        self.record = dict(record)
        self.pictures = min(pictures, stack.shape[0])
        self.lithium = 0
        self.nonfinite = 0
        self.shown: dict[int, tuple[int, int, np.ndarray]] = {}

    def attach(self, engine: Engine) -> None:
        """MONAI's handler protocol."""
        engine.add_event_handler(Events.STARTED, self._start)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._add)
        engine.add_event_handler(Events.COMPLETED, self._finish)
        engine.add_event_handler(Events.EXCEPTION_RAISED, self._abort)

    def _start(self, engine: Engine) -> None:
        self.started = time.time()

    def _abort(self, engine: Engine, error: BaseException) -> None:
        self.writer.abort()
        raise error

    def _add(self, engine: Engine) -> None:
        batch: Any = engine.state.batch
        output: Any = engine.state.output
        for item, found in zip(batch, output, strict=True):
            start = int(item["start"])
            mask = found["pred"][0].cpu().numpy().astype(np.uint8)
            image = np.asarray(item["image"].cpu())[0]
            self.writer.write(start, mask)
            self.nonfinite += int(item["nonfinite"])
            for z, (grey, plane) in enumerate(zip(image, mask, strict=True), start):
                lithium = int(np.count_nonzero(plane))
                self.lithium += lithium
                self._show(z, lithium, grey, plane)

    def _show(self, z: int, lithium: int, grey: np.ndarray, mask: np.ndarray) -> None:
        part = z * self.pictures // self.stack.shape[0]
        if part not in self.shown or lithium > self.shown[part][0]:
            self.shown[part] = (lithium, z, overlay_mask(grey, mask))

    def _finish(self, engine: Engine) -> None:
        summary = self._summary(time.time() - self.started)
        aside = self.folder / ".overlays.part"
        shutil.rmtree(aside, ignore_errors=True)
        try:
            for _, z, picture in self.shown.values():
                title = f"{self.stack.path.name}, slice {z}"
                save_overlay(aside / f"slice_{z:05d}.png", picture, MASK_COLOURS, title)
            # mask and summary get their names when all is on disk, so that a full disk leaves nothing half done
            with complete_file(self.folder / "summary.json") as part:
                write_json(part, summary)
                self.writer.close()
            shutil.rmtree(self.folder / "overlays", ignore_errors=True)
            aside.rename(self.folder / "overlays")
            remove_masks(self.folder, keep=self.writer.path)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
        self._tell(summary)

    def _tell(self, summary: Mapping[str, Any]) -> None:
        if self.nonfinite:
            logger.warning(
                "%s: %d grey values were NaN or infinite and were read as the grey window's lower end; check the "
                "reconstruction if there are many.",
                self.stack.path,
                self.nonfinite,
            )
        logger.info(_text(summary, self.folder))

    def _summary(self, seconds: float) -> dict[str, Any]:
        voxels = int(np.prod(self.stack.shape, dtype=np.int64))
        return {
            "stack": str(self.stack.path),
            "shape_zyx": self.stack.shape,
            "voxel_size_um": self.stack.voxel_size_um,
            "voxel_size_source": self.stack.voxel_size_source,
            "nonfinite_voxels": self.nonfinite,
            **lithium_summary(self.lithium, voxels, self.stack.voxel_size_um),
            "mask": self.writer.path.name,
            **self.record,
            "versions": {"python": platform.python_version(), "torch": torch.__version__, "monai": monai.__version__},
            "command": shlex.join([Path(sys.orig_argv[0]).name, *sys.orig_argv[1:]]),
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
            "seconds": round(seconds, 2),
        }


def _text(summary: Mapping[str, Any], folder: Path) -> str:
    share = f"{100 * summary['volume_fraction']:.3f} % of {summary['voxels']:,} voxels"
    volume = f", {summary['lithium_mm3']:.6g} mm3" if "lithium_mm3" in summary else " (voxel size unknown: no volume)"
    return (
        f"Lithium (dendrites and redeposited): {summary['lithium_voxels']:,} voxels, {share}{volume}.\n"
        f"In {folder}: {summary['mask']}, summary.json and overlays/, after {summary['seconds']:.1f} s."
    )

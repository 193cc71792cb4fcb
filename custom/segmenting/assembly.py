"""Finished slabs -> mask file, summary.json and overlay pictures."""

from __future__ import annotations

import logging
import platform
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import monai
import numpy as np
import torch

from custom.base.colours import PALETTE, Colour, class_colours
from custom.base.files import complete_file
from custom.base.readable import quoted
from custom.cell_page.page import Page, write_page
from custom.guard.told import beside_verdict
from custom.quantities.quantity import Quantity, Row
from custom.report import overlay_mask, save_overlay, write_json
from custom.report.csv_table import write_table
from custom.report.earlier import MASKED, remove_pictures, remove_volumes
from custom.running.interruption import shielded
from custom.segmenting.kept import KeptSlabs
from custom.segmenting.last_words import summary_text
from custom.segmenting.page import PAGE, segmentation_page
from custom.segmenting.pictures import richness, shown
from custom.segmenting.result import Result
from custom.segmenting.results import earlier_volumes, volume_names
from custom.stack import Slab, Stack
from custom.stack.writers.writer import StackWriter

logger = logging.getLogger("segmentation")


def assemble(
    stack: Stack,
    slabs: Sequence[Slab],
    kept: KeptSlabs,
    writers: Mapping[str, StackWriter],
    folder: Path,
    record: Mapping[str, Any],
    all_results: Sequence[Result],
) -> None:
    """Write the result, a slab at a time; all of it gets its names only when it is on disk.

    Args:
        stack, slabs, kept: the stack and what was found in all its slabs.
        writers: open ones, by the name of the result that they take.
        folder: gets summary.json, the quantities' tables, report.html and overlays/.
        record: what else summary.json says.
        all_results: also those that are not written, of which an earlier run may have left a volume.

    Raises:
        BadInput: a slab's file is damaged, or the disk is full.
    """
    rich: list[int] = []
    for slab in slabs:
        found = kept.read(slab.start)
        for name, writer in writers.items():
            writer.write(slab.start, found.results[name])
        for quantity in kept.quantities:
            quantity.add(slab.start, found.measured[quantity.name])
        rich += [richness(plane, len(kept.classes)) for plane in found.results["mask"]]
    summary = _summary(stack, kept.quantities, writers, record)
    earlier = (*volume_names(all_results), *earlier_volumes(folder, all_results))
    aside = folder / ".overlays.part"
    shutil.rmtree(aside, ignore_errors=True)
    try:
        for z in shown(rich):
            _save_picture(aside, stack, slabs, kept, z)
        tables = _tables(stack, kept.quantities)
        page = segmentation_page(summary, kept.classes, tables, sorted(aside.iterdir()))
        # mask and summary get their names when all is on disk, so that a full disk leaves nothing half done
        with shielded(last=True):
            with _written(folder, tables, summary, page):
                for writer in writers.values():
                    writer.close()
            pictures = remove_pictures(folder, MASKED)
            pictures.mkdir(exist_ok=True)
            for picture in aside.iterdir():
                picture.replace(pictures / picture.name)
            remove_volumes(folder, earlier, keep=[writer.path for writer in writers.values()])
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    if nonfinite := summary["nonfinite_voxels"]:
        logger.warning(
            "%s: %d grey values were NaN or infinite and were read as the grey window's lower end; check the "
            "reconstruction if there are many.",
            stack.path,
            nonfinite,
        )
    logger.info(summary_text(summary, kept.classes, folder))


def _tables(stack: Stack, quantities: Sequence[Quantity]) -> dict[str, Sequence[Row]]:
    return {name: rows for quantity in quantities for name, rows in quantity.tables(stack.voxel_size_um).items()}


@contextmanager
def _written(
    folder: Path, tables: Mapping[str, Sequence[Row]], summary: Mapping[str, Any], page: Page
) -> Iterator[None]:
    """summary.json, the tables and the page, which get their names when what is done within is done."""
    with ExitStack() as files:
        write_json(files.enter_context(complete_file(folder / "summary.json")), summary)
        for name, rows in tables.items():
            write_table(files.enter_context(complete_file(folder / name)), rows)
        write_page(page, files.enter_context(complete_file(folder / PAGE)))
        yield


def _save_picture(folder: Path, stack: Stack, slabs: Sequence[Slab], kept: KeptSlabs, z: int) -> None:
    slab = next(slab for slab in slabs if slab.start <= z < slab.stop)
    found = kept.read(slab.start)
    mask = found.results["mask"][z - slab.start]
    picture = overlay_mask(found.pictures[z] / 255, mask)
    save_overlay(folder / f"slice_{z:05d}.png", picture, _legend(kept.classes, mask), f"{stack.path.name}, slice {z}")


def _legend(classes: Sequence[str], mask: np.ndarray) -> dict[str, Colour]:
    """All classes, or where they are too many to be told apart, those that the slice has."""
    colours = class_colours(classes)
    found = set(np.unique(mask).tolist())
    few = len(classes) <= len(PALETTE)
    return {name: colour for value, (name, colour) in enumerate(colours.items(), 1) if few or value in found}


def _summary(
    stack: Stack, quantities: Sequence[Quantity], writers: Mapping[str, StackWriter], record: Mapping[str, Any]
) -> dict[str, Any]:
    summary: dict[str, Any] = {
        "stack": str(stack.path),
        "shape_zyx": stack.shape,
        "voxel_size_um": stack.voxel_size_um,
        "voxel_size_source": stack.voxel_size_source,
    }
    for quantity in quantities:
        summary |= quantity.result(stack.voxel_size_um)
    whole = {
        **summary,
        **{name: writer.path.name for name, writer in writers.items()},
        **record,
        "versions": {"python": platform.python_version(), "torch": torch.__version__, "monai": monai.__version__},
        "command": " ".join(map(quoted, [Path(sys.orig_argv[0]).name, *sys.orig_argv[1:]])),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    return beside_verdict(whole)

"""Finished slabs -> mask file, summary.json and overlay pictures."""

from __future__ import annotations

import logging
import math
import platform
import shutil
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import monai
import torch

from custom.base.files import complete_file
from custom.base.readable import quoted
from custom.metrics import lithium_summary
from custom.report import MASK_COLOURS, overlay_mask, save_overlay, write_json
from custom.report.earlier import MASKED, remove_pictures
from custom.running.interruption import shielded
from custom.segmenting.pictures import shown
from custom.segmenting.results import remove_masks
from custom.stack import Slab, SlabStore, Stack
from custom.stack.writers.writer import StackWriter

logger = logging.getLogger("segmentation")


def assemble(
    stack: Stack,
    slabs: Sequence[Slab],
    store: SlabStore,
    writers: Mapping[str, StackWriter],
    folder: Path,
    record: Mapping[str, Any],
    thresholds: Sequence[float] = (),
) -> None:
    """Write the result, a slab at a time; all of it gets its names only when it is on disk.

    Args:
        stack, slabs, store: the stack and what was found in all its slabs.
        writers: open ones, by the name of what they take: ``mask``, ``probability``, ``uncertainty``.
        folder: gets summary.json and overlays/.
        record: what else summary.json says.
        thresholds: those that the slabs' voxels were counted above for.

    Raises:
        BadInput: a slab's file is damaged, or the disk is full.
    """
    lithium: list[int] = []
    nonfinite = outside = 0
    above = [0] * len(thresholds)
    for slab in slabs:
        found = store.read(slab.start)
        for name, writer in writers.items():
            writer.write(slab.start, getattr(found, name))
        lithium += found.lithium.tolist()
        nonfinite += found.nonfinite
        outside += found.outside
        above = [a + b for a, b in zip(above, found.above, strict=True)] if thresholds else above
    left_out = {"nonfinite_voxels": nonfinite, "outside_voxels": outside}
    summary = _summary(stack, sum(lithium), left_out, dict(zip(thresholds, above, strict=True)), writers, record)
    aside = folder / ".overlays.part"
    shutil.rmtree(aside, ignore_errors=True)
    try:
        for z in shown(lithium):
            _save_picture(aside, stack, slabs, store, z)
        # mask and summary get their names when all is on disk, so that a full disk leaves nothing half done
        with shielded(last=True):
            with complete_file(folder / "summary.json") as part:
                write_json(part, summary)
                for writer in writers.values():
                    writer.close()
            pictures = remove_pictures(folder, MASKED)
            pictures.mkdir(exist_ok=True)
            for picture in aside.iterdir():
                picture.replace(pictures / picture.name)
            remove_masks(folder, keep=[writer.path for writer in writers.values()])
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    if nonfinite:
        logger.warning(
            "%s: %d grey values were NaN or infinite and were read as the grey window's lower end; check the "
            "reconstruction if there are many.",
            stack.path,
            nonfinite,
        )
    logger.info(_text(summary, folder))


def _save_picture(folder: Path, stack: Stack, slabs: Sequence[Slab], store: SlabStore, z: int) -> None:
    slab = next(slab for slab in slabs if slab.start <= z < slab.stop)
    found = store.read(slab.start)
    picture = overlay_mask(found.grey[z] / 255, found.mask[z - slab.start])
    save_overlay(folder / f"slice_{z:05d}.png", picture, MASK_COLOURS, f"{stack.path.name}, slice {z}")


def _summary(
    stack: Stack,
    lithium: int,
    left_out: Mapping[str, int],
    above: Mapping[float, int],
    writers: Mapping[str, StackWriter],
    record: Mapping[str, Any],
) -> dict[str, Any]:
    voxels, size = math.prod(stack.shape), stack.voxel_size_um
    outside = left_out["outside_voxels"]
    return {
        "stack": str(stack.path),
        "shape_zyx": stack.shape,
        "voxel_size_um": stack.voxel_size_um,
        "voxel_size_source": stack.voxel_size_source,
        **left_out,
        **lithium_summary(lithium, voxels, size, outside),
        "lithium_by_threshold": [
            {"threshold": t, **lithium_summary(count, voxels, size, outside)} for t, count in above.items()
        ],
        **{name: writer.path.name for name, writer in writers.items()},
        **record,
        "versions": {"python": platform.python_version(), "torch": torch.__version__, "monai": monai.__version__},
        "command": " ".join(map(quoted, [Path(sys.orig_argv[0]).name, *sys.orig_argv[1:]])),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _text(summary: Mapping[str, Any], folder: Path) -> str:
    share = f"{100 * summary['volume_fraction']:.3f} % of {summary['voxels'] - summary['outside_voxels']:,} voxels"
    if summary["outside_voxels"]:
        share += f" ({summary['outside_voxels']:,} more lie outside the reconstruction)"
    by_threshold = summary["lithium_by_threshold"]
    spread = ""
    if by_threshold:
        least, most = by_threshold[-1], by_threshold[0]
        spread = (
            f"\nBetween the thresholds {most['threshold']} and {least['threshold']}: {most['lithium_voxels']:,} to "
            f"{least['lithium_voxels']:,} voxels."
        )
    volume = f", {summary['lithium_mm3']:.6g} mm3" if "lithium_mm3" in summary else " (voxel size unknown: no volume)"
    return (
        f"Lithium (dendrites and redeposited): {summary['lithium_voxels']:,} voxels, {share}{volume}.{spread}\n"
        f"In {folder}: {summary['mask']}, summary.json and overlays/, after {summary['seconds']:.1f} s."
    )

"""A mask of the region, or its probability, goes back onto the raw grid, so that it can be laid over the original."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from custom.base.errors import BadInput
from custom.rectifying.before import BACK, check_finished
from custom.region import read_region
from custom.region.matching import matched
from custom.running import OutputFolder
from custom.stack import Stack, open_stack
from custom.stack.writers import open_writer

logger = logging.getLogger("region")

HEIGHT = 16  # slices of a slab, a layer of chunks of the Zarr


def put_back(
    stacks: Sequence[Stack],
    region: str | os.PathLike[str],
    mask: str | os.PathLike[str],
    folder: OutputFolder,
    output_format: str = "zarr",
    threads: int | None = None,
) -> Path:
    """Write raw_mask.* of the raw volume's size and place, 0 outside the region, and return its path.

    Args:
        stacks: the raw fields of view, in any order; their grid is the first one's.
        region: the region.json that the region was made by.
        mask: a stack of the region's shape; a probability, by its type or the summary.json beside it, is interpolated, and
            1 where it is at least half.
        folder: gets it.
        output_format: a key of `OUTPUT_FORMATS`.
        threads: None: all cores.

    Raises:
        BadInput: the mask is none of this region; the region is none of these stacks; a result is there; a full disk.
    """
    from custom.region.back import BackSampler  # numba takes a second

    found, ordered = matched(read_region(region), stacks)
    half = _half(Path(mask))
    opened = open_stack(mask, labels=half is None)
    if opened.shape != found.shape:
        raise BadInput(
            f"{mask}: has {_sizes(opened.shape)} voxels (z, y, x), and the region of {region} {_sizes(found.shape or ())}; give "
            "a mask of the region, and the region.json that lies beside the region that was segmented."
        )
    folder.take()
    check_finished(folder, [mask, *(stack.path for stack in stacks)], region, back=True)
    sampler, raw = BackSampler(found, opened, HEIGHT, threads, half), ordered[0]
    shape, depth = sampler.shape, sampler.shape[0]
    with open_writer(
        Path(folder.path) / BACK,
        output_format,
        shape,
        sampler.dtype,
        raw.voxel_size_um,
        overwrite=folder.overwrite,
        place=raw.place,
    ) as writer:
        for start in tqdm(range(0, depth, HEIGHT), "putting back", unit="slab", delay=1, disable=None):
            writer.write(start, sampler.read(start, min(start + HEIGHT, depth)))
    folder.release()
    how = "" if half is None else ", where the probability is at least 0.5 between the region's voxels"
    logger.info("The mask on the raw grid%s, %s voxels (z, y, x): %s", how, _sizes(shape), writer.path)
    return writer.path


def _half(volume: Path) -> float | None:
    """Half of a probability's range; None: the volume is a mask."""
    try:
        told = json.loads((volume.parent / "summary.json").read_text(encoding="utf-8"))
        files = [file for name, file in told.items() if name == "probability" or name.startswith("probability_")]
    except (OSError, ValueError, AttributeError):
        files = []
    stack = open_stack(volume)
    if stack.dtype.kind == "f":
        middle = stack.read(stack.shape[0] // 2, stack.shape[0] // 2 + 1)
        return 0.5 if (middle != np.rint(middle)).any() else None
    return 127.5 if volume.name in files and stack.dtype == np.uint8 else None


def _sizes(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape))

"""Labelled slices -> blocks of neighbours, the pieces that a split deals out."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby, pairwise
from typing import Any

import numpy as np

Block = list[dict[str, Any]]
_FAR = 2  # slices lie apart where the step between them is more than this many of the smallest one
_KEPT_WHOLE = 3  # up to about so many neighbours are not cut apart where others lie elsewhere in the stack


def cut_into_blocks(items: Sequence[dict[str, Any]]) -> list[Block]:
    """About ten blocks of neighbouring slices, which never cross from one stack into the next.

    2-D files in natural order are one run of z, those of a scan that is told one each; every stack file is a run of its
    own. Labelled slices of a stack that lie
    together, with none labelled for a while before and after, are cut apart only where they are more than a block.
    """
    scans: dict[str | None, Block] = {}
    for item in items:
        scans.setdefault(item.get("scan"), []).append(item)
    runs = [run for scan in scans.values() for run in _runs(scan)]
    height = len(items) / 10
    blocks = [block for run in runs for block in _blocks_of_run(run, height)]
    return _cut(blocks[0], 2) if len(blocks) == 1 else blocks


def spread(blocks: Sequence[Block], wanted: int, number: int | None = None) -> list[Block]:
    """Cut blocks amid their slices with a class until `wanted` blocks hold some, or no block has two such slices.

    Args:
        blocks: of items.
        wanted: how many blocks.
        number: of the class, from 0; None: any, or lithium alone.
    """
    found = list(blocks)
    while sum(holds(block, number) for block in found) < wanted:
        slices = [[k for k, item in enumerate(block) if voxels_of(item, number)] for block in found]
        most = max(range(len(found)), key=lambda i: len(slices[i]))
        if len(slices[most]) < 2:
            break
        half = len(slices[most]) // 2
        border = (slices[most][half - 1] + slices[most][half] + 1) // 2
        found[most : most + 1] = [found[most][:border], found[most][border:]]
    return found


def holds(items: Sequence[dict[str, Any]], number: int | None = None) -> bool:
    """Whether any voxel of these slices is labelled as a class; None: as any, or lithium alone."""
    return any(voxels_of(item, number) for item in items)


def voxels_of(item: dict[str, Any], number: int | None = None) -> int:
    """How many voxels of a slice are labelled as a class; None: as any, or lithium alone."""
    return int(item["lithium"] if number is None else item["classes"][number])


def _runs(items: Sequence[dict[str, Any]]) -> list[Block]:
    sizes = {stem: len(list(group)) for stem, group in groupby(items, key=lambda item: item["stem"])}
    return [list(g) for _, g in groupby(items, key=lambda item: item["stem"] if sizes[item["stem"]] > 1 else None)]


def _blocks_of_run(run: Block, height: float) -> list[Block]:
    pieces = max(1, min(len(run), round(len(run) / height)))
    groups = _lying_together(run)
    if len(groups) == 1:
        return _cut(run, pieces)
    units = [part for group in groups for part in _cut(group, max(1, round(len(group) / max(height, _KEPT_WHOLE))))]
    ends = np.cumsum([len(unit) for unit in units])
    middles = [end - len(unit) / 2 for unit, end in zip(units, ends, strict=True)]
    numbers = [int(middle * pieces / len(run)) for middle in middles]
    joined: dict[int, Block] = {}
    for number, unit in zip(numbers, units, strict=True):
        joined.setdefault(number, []).extend(unit)
    return list(joined.values())


def _lying_together(run: Block) -> list[Block]:
    """The groups of slices of one stack with a wide gap before and after.

    2-D files of a scan lie where their numbers say; others, whose z are all 0, are one group.
    """
    steps = [_height(after) - _height(before) for before, after in pairwise(run)]
    wide = [k + 1 for k, step in enumerate(steps) if step > _FAR * max(1, min(steps))]
    return [run[start:stop] for start, stop in pairwise([0, *wide, len(run)])]


def _height(item: dict[str, Any]) -> float:
    return float(item.get("at", item["z"]))


def _cut(block: Block, pieces: int) -> list[Block]:
    return [[block[i] for i in part] for part in np.array_split(np.arange(len(block)), pieces)]

"""The results of a segmentation by name, and those of an earlier one: refused, or replaced where that was asked for."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

import torch

from custom.command_line import check_place, check_threshold, check_uncertainty
from custom.quantities.quantity import Quantity
from custom.report.earlier import OVERLAYS, check_output
from custom.running import OutputFolder
from custom.running.slab_store import SETTINGS
from custom.segmenting.page import PAGE
from custom.segmenting.result import Result, volumes
from custom.stack import SCRATCH, remove_scratch
from custom.stack.writers import OUTPUT_FORMATS

STORE = ".slabs"  # the folder of finished slabs


def volume_names(results: Sequence[Result]) -> tuple[str, ...]:
    """What the results may be called, in all formats, those that are not wanted too."""
    return tuple(f"{volume.name}{encoder.suffix}" for volume in volumes(results) for encoder in OUTPUT_FORMATS.values())


def earlier_volumes(output_dir: str | os.PathLike[str], results: Sequence[Result]) -> tuple[str, ...]:
    """The volumes of classes, maybe of other names than now, that the summary.json of an earlier result tells of."""
    try:
        summary = json.loads((Path(output_dir) / "summary.json").read_text(encoding="utf-8"))
        told = [(name, file) for name, file in summary.items() if isinstance(file, str)]
    except (OSError, ValueError, AttributeError):
        return ()
    kinds = tuple(f"{result.name}_" for result in results)
    suffixes = [encoder.suffix for encoder in OUTPUT_FORMATS.values()]
    return tuple(file for name, file in told if name.startswith(kinds) and file in [name + end for end in suffixes])


def table_names(quantities: Sequence[Quantity]) -> tuple[str, ...]:
    """What the quantities' tables are called."""
    return tuple(name for quantity in quantities for name in quantity.files)


def check_stack_place(
    output_dir: str | os.PathLike[str],
    stack: str | os.PathLike[str],
    results: Sequence[Result],
    quantities: Sequence[Quantity],
) -> None:
    """Refuse an output folder within the stack, or one whose results would replace it, before the stack is read.

    Raises:
        BadInput: names the stack and another place.
    """
    written = (*volume_names(results), *earlier_volumes(output_dir, results), *table_names(quantities))
    check_place(output_dir, stack=stack, results=(*written, OVERLAYS, STORE, SCRATCH))


def take_output(folder: OutputFolder) -> None:
    """Take a segmentation's folder before its stack is read.

    Where a run ends without a finished slab, what was decoded of the stack is removed with it.

    Raises:
        BadInput: another run holds the folder, or it cannot be written to.
    """
    folder.take(_leave)


def _leave(folder: Path) -> None:
    if not any((folder / STORE).glob("*.npz")):
        remove_scratch(folder)


def check_finished(
    output_dir: str | os.PathLike[str],
    overwrite: bool,
    inputs: Sequence[str | os.PathLike[str]],
    results: Sequence[Result],
    quantities: Sequence[Quantity],
) -> None:
    """`check_output` for the results of a segmentation, whatever their format.

    Raises:
        BadInput: see there.
    """
    earlier = earlier_volumes(output_dir, results)
    names = (*volume_names(results), *earlier, "summary.json", *table_names(quantities), PAGE)
    check_output(output_dir, overwrite, names, inputs)


def check_before(
    folder: OutputFolder,
    stack: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    results: Sequence[Result],
    quantities: Sequence[Quantity],
    network: torch.nn.Module,
    threshold: float,
) -> None:
    """What cannot be is refused before the stack is read: a place, a result that is there, a result that there is not.

    What was cut off may be gone on with.

    Args:
        folder: gets the results.
        stack: its path, or those of the fields of view of a region.
        results: the mask first, which knows the classes.
        quantities: what is measured.
        network: what finds it.
        threshold: of the mask.

    Raises:
        BadInput: see `check_stack_place`, `check_finished`, `check_uncertainty` and `check_threshold`.
    """
    stacks = [stack] if isinstance(stack, (str, os.PathLike)) else list(stack)
    for one in stacks:
        check_stack_place(folder.path, one, results, quantities)
    if not (Path(folder.path) / STORE / SETTINGS).exists():
        check_finished(folder.path, folder.overwrite, stacks, results, quantities)
    check_uncertainty(any(result.wanted for result in results if result.name == "uncertainty"), network)
    check_threshold(threshold, results[0].values)

"""The results of a segmentation by name, and those of an earlier one: refused, or replaced where that was asked for."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from custom.command_line.placement import check_place
from custom.quantities.quantity import Quantity
from custom.report.earlier import OVERLAYS, check_output
from custom.running.taken import take_folder
from custom.segmenting.result import Result
from custom.stack import SCRATCH, remove_scratch
from custom.stack.store import SETTINGS
from custom.stack.writers import OUTPUT_FORMATS

STORE = ".slabs"  # the folder of finished slabs


def volume_names(results: Sequence[Result]) -> tuple[str, ...]:
    """What the results may be called, in all formats, those that are not wanted too."""
    return tuple(f"{result.name}{encoder.suffix}" for result in results for encoder in OUTPUT_FORMATS.values())


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
    check_place(
        output_dir, stack=stack, results=(*volume_names(results), *table_names(quantities), OVERLAYS, STORE, SCRATCH)
    )


def take_output(output_dir: str | os.PathLike[str], job: str | None = None, writes: bool = True) -> None:
    """Take a segmentation's folder before its stack is read, see `take_folder`.

    Where a run ends without a finished slab, what was decoded of the stack is removed with it.

    Raises:
        BadInput: another run holds the folder, or it cannot be written to.
    """
    take_folder(output_dir, job, writes, _leave)


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
    names = (*volume_names(results), "summary.json", *table_names(quantities))
    check_output(output_dir, overwrite, names, inputs)


def check_unfinished(
    output_dir: str | os.PathLike[str],
    overwrite: bool,
    stack: str | os.PathLike[str],
    results: Sequence[Result],
    quantities: Sequence[Quantity],
) -> None:
    """`check_finished`, before the stack is read; what a segmentation that was cut off has left may be gone on with.

    Raises:
        BadInput: see there.
    """
    if not (Path(output_dir) / STORE / SETTINGS).exists():
        check_finished(output_dir, overwrite, [stack], results, quantities)


def remove_volumes(output_dir: str | os.PathLike[str], results: Sequence[Result], keep: Sequence[Path]) -> None:
    """Remove the volumes of earlier results, which other settings left beside those to keep."""
    kept = {path.name for path in keep}
    for volume in (Path(output_dir) / name for name in volume_names(results) if name not in kept):
        if volume.is_dir() and not volume.is_symlink():
            shutil.rmtree(volume)
        else:
            volume.unlink(missing_ok=True)

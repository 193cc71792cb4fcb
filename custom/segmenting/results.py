"""The results of a segmentation by name, and those of an earlier one: refused, or replaced where that was asked for."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from custom.command_line.placement import check_place
from custom.report.earlier import OVERLAYS, check_output
from custom.running.taken import take_folder
from custom.stack import SCRATCH, remove_scratch
from custom.stack.store import SETTINGS
from custom.stack.writers import OUTPUT_FORMATS

STORE = ".slabs"  # the folder of finished slabs
RESULTS = ("mask", "probability", "uncertainty")
MASKS = tuple(f"{result}{encoder.suffix}" for result in RESULTS for encoder in OUTPUT_FORMATS.values())


def check_stack_place(output_dir: str | os.PathLike[str], stack: str | os.PathLike[str]) -> None:
    """Refuse an output folder within the stack, or one whose results would replace it, before the stack is read.

    Raises:
        BadInput: names the stack and another place.
    """
    check_place(output_dir, stack=stack, results=(*MASKS, OVERLAYS, STORE, SCRATCH))


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
    output_dir: str | os.PathLike[str], overwrite: bool, inputs: Sequence[str | os.PathLike[str]]
) -> None:
    """`check_output` for the results of a segmentation, whatever their format.

    Raises:
        BadInput: see there.
    """
    check_output(output_dir, overwrite, (*MASKS, "summary.json"), inputs)


def check_unfinished(output_dir: str | os.PathLike[str], overwrite: bool, stack: str | os.PathLike[str]) -> None:
    """`check_finished`, before the stack is read; what a segmentation that was cut off has left may be gone on with.

    Raises:
        BadInput: see there.
    """
    if not (Path(output_dir) / STORE / SETTINGS).exists():
        check_finished(output_dir, overwrite, [stack])


def remove_masks(output_dir: str | os.PathLike[str], keep: Sequence[Path]) -> None:
    """Remove the masks, probabilities and uncertainties of earlier results, which other settings left beside those to keep."""
    kept = {path.name for path in keep}
    for mask in (Path(output_dir) / name for name in MASKS if name not in kept):
        if mask.is_dir() and not mask.is_symlink():
            shutil.rmtree(mask)
        else:
            mask.unlink(missing_ok=True)

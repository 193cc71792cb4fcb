"""What a folder holds of earlier results: refused, or replaced where that was asked for."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from custom.errors import BadInput
from custom.placement import check_place
from custom.stack import SCRATCH, remove_scratch
from custom.stack.store import SETTINGS
from custom.stack.writers import OUTPUT_FORMATS
from custom.taken import take_folder

OVERLAYS, STORE = "overlays", ".slabs"
MASKED, SCORED = r"slice_\d{5,}\.png", r".*_z\d{4,}\.png"  # pictures of a segmentation, of an evaluation
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


def check_output(
    output_dir: str | os.PathLike[str],
    overwrite: bool,
    results: Sequence[str] = (*MASKS, "summary.json"),
    inputs: Sequence[str | os.PathLike[str]] = (),
) -> None:
    """Refuse a folder that holds a result already, whatever its format.

    Args:
        output_dir: the folder; it may be missing.
        overwrite: whether an earlier result may be replaced.
        results: names of the files that count as one.
        inputs: the stack that is about to be segmented, and its files, which no result may replace; links are followed.

    Raises:
        BadInput: a result is there and `overwrite` is false, or one of the inputs lies where the result goes.
    """
    folder = Path(output_dir)
    there = [folder / name for name in results if os.path.lexists(folder / name)]
    if there and not overwrite:
        raise BadInput(f"{there[0]}: is there already; give --overwrite true or another --output_dir")
    replaced = {path.resolve() for path in there}
    for path in inputs if replaced else ():
        real = Path(path).resolve()
        if not replaced.isdisjoint((real, *real.parents)):
            raise BadInput(
                f"{path}: is the stack itself, or a part of it, and would be replaced; give another --output_dir"
            )


def check_unfinished(output_dir: str | os.PathLike[str], overwrite: bool, stack: str | os.PathLike[str]) -> None:
    """`check_output`, before the stack is read; what a segmentation that was cut off has left may be gone on with.

    Raises:
        BadInput: see there.
    """
    if not (Path(output_dir) / STORE / SETTINGS).exists():
        check_output(output_dir, overwrite, inputs=[stack])


def remove_pictures(output_dir: str | os.PathLike[str], named: str, keep: Sequence[str] = ()) -> Path:
    """Remove the pictures of an earlier command of the same kind, and return the folder of pictures.

    An evaluation and a segmentation may share an output folder, and leave each other's pictures.

    Args:
        output_dir: holds the folder, if there is one.
        named: a regular expression of the names of this command's pictures, `MASKED` or `SCORED`.
        keep: names that stay.
    """
    folder = Path(output_dir) / OVERLAYS
    for picture in folder.glob("*.png"):
        if re.fullmatch(named, picture.name) and picture.name not in keep:
            picture.unlink(missing_ok=True)
    return folder


def remove_masks(output_dir: str | os.PathLike[str], keep: Sequence[Path]) -> None:
    """Remove the masks, probabilities and uncertainties of earlier results, which other settings left beside those to keep."""
    kept = {path.name for path in keep}
    for mask in (Path(output_dir) / name for name in MASKS if name not in kept):
        if mask.is_dir() and not mask.is_symlink():
            shutil.rmtree(mask)
        else:
            mask.unlink(missing_ok=True)

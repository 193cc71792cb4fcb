"""What a folder holds of earlier results: refused, or replaced where that was asked for."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from custom.errors import BadInput
from custom.placement import check_place
from custom.stack import SCRATCH
from custom.stack.store import SETTINGS
from custom.stack.writers import OUTPUT_FORMATS

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


def check_output(
    output_dir: str | os.PathLike[str],
    overwrite: bool,
    results: Sequence[str] = (*MASKS, "summary.json"),
    stack: str | os.PathLike[str] | None = None,
) -> None:
    """Refuse a folder that holds a result already, whatever its format.

    Args:
        output_dir: the folder; it may be missing.
        overwrite: whether an earlier result may be replaced.
        results: names of the files that count as one.
        stack: what is about to be segmented, which no result may replace.

    Raises:
        BadInput: a result is there and `overwrite` is false, or the stack lies where the result goes.
    """
    folder = Path(output_dir)
    there = [folder / name for name in results if os.path.lexists(folder / name)]
    if there and not overwrite:
        raise BadInput(f"{there[0]}: is there already; give --overwrite true or another --output_dir")
    if stack is not None and any(Path(stack).resolve().is_relative_to(path.resolve()) for path in there):
        raise BadInput(f"{stack}: is the stack itself and would be replaced; give another --output_dir")


def check_unfinished(output_dir: str | os.PathLike[str], overwrite: bool, stack: str | os.PathLike[str]) -> None:
    """`check_output`, before the stack is read; what a segmentation that was cut off has left may be gone on with.

    Raises:
        BadInput: see there.
    """
    if not (Path(output_dir) / STORE / SETTINGS).exists():
        check_output(output_dir, overwrite, stack=stack)


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

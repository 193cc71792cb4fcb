"""What a folder holds of an earlier command: refused, or replaced where that was asked for."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from custom.base.errors import BadInput

OVERLAYS = "overlays"
MASKED, SCORED = r"slice_\d{5,}\.png", r".*_z\d{4,}\.png"  # pictures of a segmentation, of an evaluation


def check_output(
    output_dir: str | os.PathLike[str],
    overwrite: bool,
    results: Sequence[str],
    inputs: Sequence[str | os.PathLike[str]] = (),
) -> None:
    """Refuse a folder that holds a result already.

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


def remove_volumes(output_dir: str | os.PathLike[str], names: Iterable[str], keep: Sequence[Path]) -> None:
    """Remove the volumes of earlier results by their names, which other settings left beside those to keep."""
    kept = {path.name for path in keep}
    for volume in (Path(output_dir) / name for name in names if name not in kept):
        if volume.is_dir() and not volume.is_symlink():
            shutil.rmtree(volume)
        else:
            volume.unlink(missing_ok=True)

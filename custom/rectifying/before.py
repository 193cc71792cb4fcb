"""What a rectifying writes, and what stands against it before anything is read."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from custom.base.errors import BadInput
from custom.command_line.placement import check_place
from custom.rectifying.unfinished import STORE, Unfinished
from custom.region.opening import Paths, paths_of
from custom.report.earlier import check_output
from custom.running import OutputFolder
from custom.stack import SCRATCH
from custom.stack.writers import OUTPUT_FORMATS

NAME, RECORD, PICTURE = "region", "region.json", "region.png"
BACK = "raw_mask"


def volume_names(name: str) -> tuple[str, ...]:
    """What a volume may be called, in all formats."""
    return tuple(f"{name}{encoder.suffix}" for encoder in OUTPUT_FORMATS.values())


def check_before(
    folder: OutputFolder,
    stack: Paths,
    region: str | os.PathLike[str] | None,
    output_format: str,
    back: str | os.PathLike[str] | None = None,
) -> None:
    """What cannot be is refused before a stack is read; what was cut off may be gone on with.

    Raises:
        BadInput: a format that there is not; an output folder among the raw data; a result that is there; `back` without
            a region.
    """
    if output_format not in OUTPUT_FORMATS:
        raise BadInput(f"--output_format {output_format}: is unknown; give one of {', '.join(OUTPUT_FORMATS)}.")
    if back is not None and region is None:
        raise BadInput(
            f"--back {os.fspath(back)}: needs the region that the mask is of; give its region.json with --region."
        )
    inputs = [*paths_of(stack), *([] if back is None else [os.fspath(back)])]
    written = (*volume_names(NAME if back is None else BACK), STORE, SCRATCH)
    for one in inputs:
        check_place(folder.path, stack=one, results=written)
    if back is not None or not Unfinished.there(Path(folder.path)):
        check_finished(folder, inputs, region, back is not None)


def check_finished(
    folder: OutputFolder,
    inputs: Sequence[str | os.PathLike[str]],
    region: str | os.PathLike[str] | None,
    back: bool = False,
) -> None:
    """Refuse a folder that holds a result, unless it may be replaced; a region.json that is given may lie there.

    Raises:
        BadInput: see `check_output`.
    """
    names = [*volume_names(BACK if back else NAME)]
    if not back and not is_own(folder, region):
        names.append(RECORD)
    check_output(folder.path, folder.overwrite, names, inputs)


def is_own(folder: OutputFolder, region: str | os.PathLike[str] | None) -> bool:
    """Whether the region that is given is the one that the command would write."""
    own = Path(folder.path) / RECORD
    return region is not None and os.path.realpath(region) == os.path.realpath(own)

"""Where a result must not or cannot be written: the sentences that say so."""

import errno
import os
import shutil
from pathlib import Path

from custom.base.errors import BadInput


def make_folder(folder: Path) -> None:
    """Make the output folder.

    Raises:
        BadInput: it cannot be made, or is not a folder.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise BadInput(f"The output folder {folder} is a file: give another --output_dir.") from error
    except OSError as error:
        reason = error.strerror or error
        raise BadInput(f"The output folder {folder} cannot be made ({reason}): give another --output_dir.") from error


def check_free(final: Path, folder: bool, overwrite: bool) -> None:
    """Refuse a final path that is taken; `folder` says whether the result is a folder or a file.

    Raises:
        BadInput: a result is there and may not be replaced, or is no result of this format.
    """
    if not os.path.lexists(final):
        return
    if not overwrite:
        raise BadInput(f"{final} already exists: give --overwrite true or another --output_dir.")
    if final.is_dir() != folder:
        found, wanted = ("file", "folder") if folder else ("folder", "file")
        raise BadInput(f"{final} is a {found} where a {wanted} belongs: move it away or give another --output_dir.")


def write_failed(final: Path, nbytes: int, error: OSError) -> BadInput:
    """The refusal for a failed write, once the unfinished result is gone.

    Args:
        final: the result's path.
        nbytes: its size without compression, the most that it takes.
        error: what the operating system said.
    """
    folder = final.parent
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return BadInput(
            f"The disk of the output folder {folder} is full: {final.name} takes up to {_size(nbytes)} and "
            f"{_size(shutil.disk_usage(folder).free)} are free, so make room or give another --output_dir."
        )
    reason = error.strerror or error
    return BadInput(f"{final.name} cannot be written into the folder {folder} ({reason}): give another --output_dir.")


def _size(nbytes: int) -> str:
    for unit, scale in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if nbytes >= scale:
            return f"{nbytes / scale:.1f} {unit}"
    return f"{nbytes / 1e3:.1f} kB"

"""Files that appear under their name only when they are complete."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from custom.base.errors import BadInput
from custom.base.flock import is_still, lock_now


@contextmanager
def complete_file(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary sibling to write to; on success it replaces `path`, on any failure it is removed.

    Missing parent folders are made. One process at a time writes a file, where the system has locks.

    Raises:
        BadInput: the system refuses to write (no permission, disk full), or another process writes the same file.
    """
    final = Path(path)
    # one fixed name, so that what a kill leaves behind is taken up by the next attempt
    part = final.with_name(f".{final.name}.part")
    held: IO[bytes] | None = None
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        held = _held(final, part)
        yield part
        with open(part, "rb") as written:
            os.fsync(written.fileno())
        os.replace(part, final)
        sync_folder(final.parent)
    except OSError as error:
        reason = error.strerror or str(error)
        raise BadInput(
            f"{final} cannot be written ({reason}): free some space or choose another folder with --output_dir."
        ) from error
    finally:
        if held is not None:
            # Where the folder itself is out of reach there is nothing to remove.
            with suppress(OSError):
                part.unlink()
            held.close()


def _held(final: Path, part: Path) -> IO[bytes]:
    """The temporary file, locked as long as it is open."""
    while True:
        held = open(part, "ab")  # noqa: SIM115 (held until it has its name)
        if lock_now(held.fileno()) is False:
            held.close()
            raise BadInput(f"{final}: another process is writing it; wait for that, or give another name.")
        if is_still(held, part):
            return held
        held.close()  # whoever had it has just given it its name


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to disk; Windows and some network file systems cannot sync a folder."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

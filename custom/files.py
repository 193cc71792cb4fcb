"""Files that appear under their name only when they are complete."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from custom.errors import BadInput


@contextmanager
def complete_file(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary sibling to write to; on success it replaces `path`, on any failure it is removed.

    Missing parent folders are made.

    Raises:
        BadInput: the system refuses to write (no permission, disk full).
    """
    final = Path(path)
    # one fixed name, so that what a kill leaves behind is taken up by the next attempt
    part = final.with_name(f".{final.name}.part")
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
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
        # Where the folder itself is out of reach there is nothing to remove.
        with suppress(OSError):
            part.unlink()


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to disk; Windows and some network file systems cannot sync a folder."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

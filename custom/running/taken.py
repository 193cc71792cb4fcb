"""The output folders that this process has taken: nobody else writes there until it lets go or ends."""

from __future__ import annotations

import atexit
import os
from collections.abc import Callable
from pathlib import Path

from custom.running.lock import FolderLock

_taken: dict[Path, tuple[FolderLock, Callable[[Path], None]]] = {}


def take_folder(
    folder: str | os.PathLike[str],
    job: str | None = None,
    writes: bool = True,
    leaving: Callable[[Path], None] = lambda folder: None,
) -> None:
    """Take a folder before the first file is written there; harmless where this process has it.

    It is let go by `release_folder`, or at the end of the process.

    Args:
        folder: made if need be.
        job: as for `FolderLock`.
        writes: False on all ranks but the first, which takes it for all.
        leaving: what is done with the folder before it is let go.

    Raises:
        BadInput: another run holds the folder, or it cannot be written to.
    """
    path = Path(folder).resolve()
    if not writes or path in _taken:
        return
    _taken[path] = FolderLock(folder, job), leaving


def release_folder(folder: str | os.PathLike[str]) -> None:
    """Let go of a folder; harmless where this process has not taken it."""
    path = Path(folder).resolve()
    if path in _taken:
        held, leaving = _taken.pop(path)
        leaving(path)
        held.release()


def release_folders() -> None:
    """Let go of all folders that this process has taken."""
    while _taken:
        release_folder(next(iter(_taken)))


atexit.register(release_folders)
if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_taken.clear)

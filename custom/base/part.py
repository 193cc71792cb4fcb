"""The hidden name that a file or folder has until it is whole."""

import contextlib
import glob
import os
import secrets
import shutil
from pathlib import Path

from custom.base.files import sync_folder
from custom.base.flock import lock_now


class Part:
    """An empty file or folder `.NAME.part-XXXXXXXX` beside `final`, locked as long as this process lives.

    The lock tells the parts of running processes from those that a killed process left behind; the latter are removed.

    Attributes:
        path: the hidden path.
    """

    def __init__(self, final: Path, folder: bool) -> None:
        self._final = final
        self._held: int | None
        for leftover in final.parent.glob(f".{glob.escape(final.name)}.part-*"):
            if (lock := _lock(leftover)) is not None:
                _remove(leftover)
                os.close(lock)
        while not self._take(folder):
            pass

    def _take(self, folder: bool) -> bool:
        """Make and lock the part; False where another process took it for a leftover in between."""
        self.path = _sibling(self._final, "part")
        if folder:
            self.path.mkdir()
        else:
            self.path.touch(exist_ok=False)
        self._held = None
        try:
            self._held = os.open(self.path, os.O_RDONLY)
            kept = lock_now(self._held) is not False and self.path.exists()
        except FileNotFoundError:
            kept = False
        except OSError:  # Windows opens no folder
            kept = True
        if not kept:
            self._unlock()
        return kept

    def publish(self, replaces: bool = True) -> None:
        """Bring all bytes to disk and give them the final name, in place of what has it now.

        A file replaces a file in one step. A folder cannot: the old one is moved aside first and removed afterwards.

        Args:
            replaces: False for a folder that may take the place of an empty one alone; OSError where it is not empty.
        """
        put_in_place(self.path, self._final, replaces)
        self._unlock()

    def remove(self) -> None:
        """Remove the hidden file or folder, if it is still there."""
        _remove(self.path)
        self._unlock()

    def _unlock(self) -> None:
        if self._held is not None:
            os.close(self._held)
            self._held = None


def put_in_place(path: Path, final: Path, replaces: bool = True, synced: bool = False) -> None:
    """What `Part.publish` does, with a file or folder of any other name on the same disk.

    Args:
        synced: whether its bytes are on disk already.
    """
    if not synced:
        _sync(path)
    aside = _sibling(final, "old") if replaces and final.is_dir() else None
    if aside is not None:
        final.rename(aside)
    try:
        path.replace(final)
    except OSError:
        if aside is not None:
            aside.rename(final)
        raise
    sync_folder(final.parent)
    if aside is not None:
        _remove(aside)


def _sibling(final: Path, role: str) -> Path:
    return final.with_name(f".{final.name}.{role}-{secrets.token_hex(4)}")


def _lock(path: Path) -> int | None:
    """A descriptor that holds the lock on `path`; None where another holds it or the file system has no locks."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    if lock_now(descriptor):
        return descriptor
    os.close(descriptor)
    return None


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    """fsync a file, or every file and folder of a tree."""
    if not path.is_dir():
        _sync_file(path)
        return
    for folder, _, files in os.walk(path):
        for name in files:
            _sync_file(Path(folder, name))
        sync_folder(Path(folder))


def _sync_file(path: Path) -> None:
    with open(path, "r+b") as file:
        os.fsync(file.fileno())

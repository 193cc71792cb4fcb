"""One run at a time in an output folder."""

from __future__ import annotations

import json
import logging
import os
import socket
import threading
import time
import weakref
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from custom.base.errors import BadInput
from custom.base.flock import is_still, lock_now

logger = logging.getLogger("lock")

_held: weakref.WeakSet[FolderLock] = weakref.WeakSet()
SILENCE = 600.0  # seconds without a sign of life after which an owner on another machine counts as gone
INTERVAL = 60.0  # seconds between two signs


class FolderLock:
    """The lock of an output folder: a file that names its owner, locked by the system as long as the owner lives.

    The system's lock ends with its process, however that ends, so that a stale file is told apart from a running owner.
    Where the system or the file system has no such locks, or keeps them to one machine, the owner's process id decides on the same
    machine and its last sign of life on another: a thread gives it, whatever the run is busy with.

    Args:
        folder: made if need be, and removed with the lock if it was and is empty.
        job: a name that torchrun's restarts of one job share; a restarted worker takes over from the one before it.

    Raises:
        BadInput: another run holds the folder (names its machine and process), or the folder cannot be written to.
    """

    def __init__(self, folder: str | os.PathLike[str], job: str | None = None) -> None:
        self.job = job
        self.path = Path(folder).absolute() / ".lock"
        self._file: IO[str] | None = None
        self._made = not self.path.parent.exists()
        _held.add(self)
        try:
            while not self._take():
                pass
        except OSError as error:
            raise BadInput(f"{folder}: cannot be written to ({error.strerror}); give another --output_dir") from error
        if not any(thread.name == __name__ for thread in threading.enumerate()):
            threading.Thread(target=_give_signs_of_life, name=__name__, daemon=True).start()

    def _take(self) -> bool:
        """Open and lock the file; False where its last owner removed it in between."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = file = open(self.path, "a+", encoding="utf-8")  # noqa: SIM115 (held until `release`)
        try:
            self._claim(file, lock_now(file.fileno()))
            return is_still(file, self.path)
        except BaseException:
            file.close()
            raise

    def _claim(self, file: IO[str], locked: bool | None) -> None:
        file.seek(0)
        owner = _read(file.read())
        me = {"host": socket.gethostname(), "process": os.getpid(), "job": self.job}
        if locked is False or (owner and _alive(owner, me, self.path, locked)):
            raise BadInput(
                f"{self.path.parent}: another run is writing here ({_name(owner)}); wait for it, give another "
                f"--output_dir, or remove {self.path} if you know that it has ended"
            )
        if owner:
            logger.info(
                "%s: the run before (%s) did not end by itself; its lock is taken over.", self.path, _name(owner)
            )
        file.truncate(0)
        file.write(json.dumps(me | {"since": time.strftime("%Y-%m-%d %H:%M:%S")}))
        file.flush()

    def touch(self) -> None:
        """Give a sign of life."""
        with suppress(OSError, ValueError):  # let go meanwhile; or a faulty disk, which refuses where it is written to
            if self._file is not None:
                os.utime(self._file.fileno())

    def forget(self) -> None:
        """Close this process's copy of the file; whoever else has one keeps the folder."""
        if self._file is not None:
            self._file.close()

    def release(self) -> None:
        """Let go of the folder; harmless when that was done."""
        if self._file is not None and not self._file.closed:
            if is_still(self._file, self.path):
                self.path.unlink(missing_ok=True)
                self._remove_folder()
            self._file.close()

    def _remove_folder(self) -> None:
        with suppress(OSError):  # it holds something
            if self._made:
                self.path.parent.rmdir()


def _give_signs_of_life() -> None:
    while True:
        time.sleep(INTERVAL)
        with suppress(RuntimeError):  # a lock is made just now
            for lock in list(_held):
                lock.touch()


def _let_parent_hold() -> None:
    """In a forked process: the lock lasts as long as any copy of its descriptor, and a loader's workers outlive a kill."""
    for lock in _held:
        lock.forget()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_let_parent_hold)


def _read(text: str) -> dict[str, Any]:
    try:
        owner = json.loads(text)
    except ValueError:  # empty, or cut off
        return {}
    return owner if isinstance(owner, dict) else {}


def _alive(owner: dict[str, Any], me: dict[str, Any], path: Path, locked: bool | None) -> bool:
    """Whether the owner that the file names still runs, as far as can be known from here."""
    if me["job"] is not None and owner.get("job") == me["job"]:
        return False  # a worker of this very job, which torchrun has started again
    if owner.get("host") == me["host"]:
        return locked is None and owner.get("process") != me["process"] and _runs(owner.get("process"))
    return time.time() - path.stat().st_mtime < SILENCE


def _runs(process: Any) -> bool:
    if os.name == "nt":  # signal 0 is no question there
        return True
    try:
        os.kill(int(process), 0)
    except (ProcessLookupError, TypeError, ValueError):
        return False
    except OSError:
        return True
    return True


def _name(owner: dict[str, Any]) -> str:
    return f"process {owner.get('process', '?')} on {owner.get('host', '?')}, since {owner.get('since', '?')}"

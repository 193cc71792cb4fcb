"""The system's lock of a file, which lasts as long as its process at most."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

try:
    import fcntl
except ImportError:  # Windows has no such locks
    fcntl = None  # type: ignore[assignment]


def is_still(file: IO[Any], path: Path) -> bool:
    """Whether `path` names the file that was opened, which somebody may have removed or renamed since."""
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    return False


def lock_now(descriptor: int) -> bool | None:
    """Whether the system gave the lock of a file, which lasts until that is closed; None where it has none for it."""
    if fcntl is None:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True

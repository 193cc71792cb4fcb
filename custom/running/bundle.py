"""A command of a bundle, run in a process of its own to its end."""

from __future__ import annotations

import ctypes
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from custom.running.interruption import Interrupted, received

PR_SET_PDEATHSIG = 1  # prctl(2)
INTERVAL = 0.5  # seconds between two looks for a signal
PATIENCE = 30.0  # seconds that an interrupted command has to put its files in order


def run_bundle(
    words: Sequence[str],
    folder: Path,
    output: IO[str] | int,
    errors: IO[str] | int = subprocess.STDOUT,
    flags: Sequence[str] = (),
    limit: float | None = None,
) -> int:
    """`python FLAGS -m monai.bundle WORDS` in a folder; returns its exit code.

    Where this process is interrupted, the command is too, and has some time to put its files in order; where it is
    killed, the command does not outlive it (on Linux).

    Args:
        words: after ``monai.bundle``.
        folder: the working directory.
        output, errors: get what the command says, as for `subprocess`.
        flags: of Python.
        limit: seconds that it may take.

    Raises:
        TimeoutError: it takes longer, and was ended.
        Interrupted: a signal came, also where this is called in a thread, in which nothing is raised by itself.
    """
    command = [sys.executable, *flags, "-m", "monai.bundle", *words]
    return _ended(command, limit, cwd=folder, stdout=output, stderr=errors)


def _ended(command: Sequence[str], limit: float | None = None, **given: Any) -> int:
    last = None if limit is None else time.monotonic() + limit
    with subprocess.Popen(command, preexec_fn=_end_with_parent(), **given) as process:
        try:
            while True:
                if number := received():
                    raise Interrupted(number)
                if last is not None and time.monotonic() > last:
                    raise TimeoutError(f"takes more than {limit:.0f} s")
                with suppress(subprocess.TimeoutExpired):
                    return process.wait(INTERVAL)
        except BaseException:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(PATIENCE)
            process.kill()
            raise


def _end_with_parent() -> Callable[[], object] | None:
    """A killed study must not leave a training behind that the next one, in the same folder, would compete with."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)  # loaded here: nothing may be loaded between fork and exec
    return lambda: libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)

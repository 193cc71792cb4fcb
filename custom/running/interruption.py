"""Ctrl-C and SIGTERM end a command in one sentence that says what is kept and how to go on, with exit code 130 or 143.

A signal is an exception, not a flag: `Interrupted` is raised where the main thread is, so that minutes of compiling or
assembling end too. What comes before `install`, in some seconds of importing MONAI, still ends in Python's own traceback.
"""

from __future__ import annotations

import atexit
import gc
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType, TracebackType
from typing import Any

from custom.base.readable import quoted

SIGNALS = (signal.SIGINT, signal.SIGTERM)
TWICE = 3.0  # seconds within which a second signal is the same wish: a terminal and torchrun both send it
AGAIN = 0.05  # seconds after which a signal that came where nothing can be raised is sent once more


class Interrupted(KeyboardInterrupt):
    """The main thread was asked to end; no `except Exception` stops it."""


@dataclass
class _State:
    """What is known of the command that runs in this process."""

    received: int | None = None
    at: float = 0.0
    shields: int = 0
    kept: Callable[[], str | None] = lambda: None
    beside: Callable[[], str | None] = lambda: None
    added: tuple[str, ...] = ()
    speaks: bool = True
    processes: int = 1


_state = _State()


def install() -> None:
    """From here on, both signals raise `Interrupted` in the main thread, and the sentence takes its traceback's place.

    A process that handles or ignores a signal by itself (a server that hosts a bundle, `nohup`) goes on to do so.
    """
    global _state
    _state = _State()
    _chain_hooks()
    _end_at_once()
    if threading.current_thread() is not threading.main_thread():
        return
    for number in SIGNALS:
        if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
            signal.signal(number, _interrupt)


def goes_on(kept: Callable[[], str | None], added: Sequence[str] = (), speaks: bool = True, processes: int = 1) -> None:
    """Say how this process's command goes on when it is interrupted.

    Args:
        kept: tells what is kept by then, None for nothing.
        added: words that the command is given again with, such as ``("--resume", "true")``, where something is kept.
        speaks: False on all ranks but the first.
        processes: how many torchrun started.
    """
    _state.kept, _state.added, _state.speaks, _state.processes = kept, tuple(added), speaks, processes


def goes_on_beside(kept: Callable[[], str | None]) -> None:
    """Say what is kept beside that of the part of the command that runs at the moment.

    Args:
        kept: as for `goes_on`.
    """
    _state.beside = kept


def received() -> int | None:
    """The signal that asked this process to end; for threads, in which nothing is raised."""
    return _state.received


@contextmanager
def shielded(last: bool = False) -> Iterator[None]:
    """Files that belong together are written to the end: what comes meanwhile is raised afterwards.

    Args:
        last: the command is done with them, so that nothing is raised any more.
    """
    state = _state
    before = state.received
    state.shields += 1
    try:
        yield
    finally:
        state.shields -= 1
        if state.received != before and last:
            state.received = before
    if state.received != before and not state.shields:
        raise Interrupted(state.received)


def deaf() -> None:
    """Nothing disturbs the last words any more."""
    if threading.current_thread() is threading.main_thread():
        for number in (number for number in SIGNALS if signal.getsignal(number) is _interrupt):
            signal.signal(number, signal.SIG_IGN)


def end(code: int) -> None:
    """End with an exit code, in place of a traceback.

    One of several processes that talk by gloo now and then aborts when it is torn down as usual: it ends at once, after
    what is done at every exit.

    Raises:
        SystemExit: always, if the process does not end here.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    distributed = sys.modules.get("torch.distributed")
    if distributed is not None and distributed.is_available() and distributed.is_initialized():
        atexit._run_exitfuncs()
        os._exit(code)
    raise SystemExit(code)


def sentence(number: int) -> str:
    """What is kept, and the command that goes on."""
    kept = "; ".join(filter(None, (_state.beside(), _state.kept())))
    added = _state.added if kept else ()
    names = {word for word in added if word.startswith("--")} | ({"--overwrite"} if added else set())
    words = [*_without(sys.orig_argv, names), *added]
    again = " ".join(map(quoted, words)) if _state.processes == 1 else " ".join(("the same torchrun command", *added))
    why = "interrupted" if number == signal.SIGINT else f"ended by {signal.Signals(number).name}"
    return f"{why}: {kept}; go on with: {again}" if kept else f"{why}; begin again with: {again}"


def _without(words: Sequence[str], names: set[str]) -> list[str]:
    """A command line without some options, in the form `--name value`, `--name=value` or `--name`."""
    kept: list[str] = []
    value_follows = False
    for word in words:
        option = word.startswith("-")
        if option and word.partition("=")[0] in names:
            value_follows = "=" not in word
        elif option or not value_follows:
            kept.append(word)
            value_follows = False
        else:
            value_follows = False
    return kept


def _interrupt(number: int, frame: FrameType | None) -> None:
    now = time.monotonic()
    if _state.received is not None and now - _state.at < TWICE:
        return
    _state.received, _state.at = number, now
    if not _state.shields:
        raise Interrupted(number)


def _end_at_once() -> None:
    """At its end Python searches all that it has imported for garbage, 1.4 s with torch and MONAI: it is told that none is there."""
    atexit.unregister(gc.freeze)
    atexit.register(gc.freeze)


def _chain_hooks() -> None:
    """Put the sentence before what is done otherwise with an exception that nobody caught."""
    uncaught, unraisable = sys.excepthook, sys.unraisablehook

    def say(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        # what goes wrong after a signal is its consequence, such as a loader's worker that was ended too
        number = _state.received or (signal.SIGINT if isinstance(error, KeyboardInterrupt) else None)
        if number is None:
            uncaught(kind, error, trace)
            return
        deaf()
        if _state.speaks:
            print(sentence(number), file=sys.stderr)
        end(128 + number)

    def send_again(found: Any) -> None:
        if isinstance(found.exc_value, Interrupted):  # it came within a destructor, and was dropped there
            _state.at = -TWICE
            timer = threading.Timer(AGAIN, os.kill, (os.getpid(), _state.received))
            timer.daemon = True
            timer.start()
        else:
            unraisable(found)

    sys.excepthook, sys.unraisablehook = say, send_again


def _leave_it_to_the_parent() -> None:
    """In a forked process, such as a loader's worker: Ctrl-C reaches it too, and its parent ends it.

    A function in place of `SIG_IGN`, which a program that the process turns into would inherit.
    """
    if signal.getsignal(signal.SIGINT) is _interrupt:
        signal.signal(signal.SIGINT, lambda number, frame: None)
    if signal.getsignal(signal.SIGTERM) is _interrupt:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_leave_it_to_the_parent)

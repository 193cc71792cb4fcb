"""The edge of the command line: refusals become one sentence and exit code 2, misspelt keys are caught, paths are taken as typed.

The only module that looks at `sys.argv`.
"""

from __future__ import annotations

import errno
import logging
import os
import re
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Protocol

import torch.distributed

import custom.running.interruption as interruption
from custom.base.errors import BadInput
from custom.base.readable import HANDLER, readable_streams
from custom.command_line.config_faults import config_fault
from custom.command_line.config_keys import check_keys
from custom.command_line.config_values import calling_parser, check_options, put_right
from custom.command_line.following import following
from custom.command_line.placement import check_place
from custom.command_line.typed import taken_apart
from custom.running.output_folder import OutputFolder
from custom.running.taken import release_folders


def install(paths: Sequence[str] = (), texts: Sequence[str] = (), optional: Sequence[str] = ()) -> None:
    """Make this process a well-behaved command: `BadInput` ends it in one sentence, and what cannot be is refused.

    The checks, of which this is the first, head every list that is run too: a stray word takes the place of `initialize`.

    Args:
        paths: the config's keys that hold a path, or a list of them; they come first among what is resolved.
        texts: those that hold another text.
        optional: those of `paths` that may hold none.

    Raises:
        BadInput: a misspelt key, a path that cannot be meant, an option out of the range in `OPTIONS`.
    """
    sys.excepthook = _excepthook
    threading.excepthook = _thread_excepthook
    interruption.install()
    readable_streams()
    arguments = sys.argv[1:]
    check_keys(arguments)
    if parser := calling_parser():
        put_right(parser, taken_apart(arguments if arguments[:1] == ["run"] else []), paths, texts)
        check_options(parser, paths, optional)


def next_commands() -> dict[str, str]:
    """The commands that follow this process's training, see `following`; what was not typed is the config's."""
    parser = calling_parser()
    assert parser is not None
    return following(
        sys.argv[1:], *(os.fspath(parser.get_parsed_content(key)) for key in ("dataset_dir", "output_dir"))
    )


class Reading(Protocol):
    """How a data set is read, as `custom.data.Reading` has it."""

    @property
    def label_folder(self) -> str: ...


def begin(folder: OutputFolder, dataset_dir: str | os.PathLike[str], reading: Reading) -> None:
    """What comes before a training or an evaluation: its folder is looked at, and taken, and the log begins there.

    Args:
        folder: of the command.
        dataset_dir: the labelled data set.
        reading: knows the folder of its labels.

    Raises:
        BadInput: the folder lies among the data, another run holds it, or it cannot be written to.
    """
    check_place(folder.path, dataset_dir, label_folder=reading.label_folder)
    folder.take()
    start_log(folder.path, writes=folder.writes)


def start_log(output_dir: str | os.PathLike[str], name: str = "train.log", writes: bool = True) -> None:
    """Append what the terminal shows to a file in `output_dir`, which is made if need be.

    Raises:
        BadInput: the folder cannot be made or written to.
    """
    if not writes:
        return
    folder = Path(output_dir)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handler = _LogFile(folder / name)
    except OSError as error:
        raise BadInput(
            f"{folder}: cannot be written to ({error.strerror}); give --output_dir a folder of your own"
        ) from error
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    logging.getLogger().addHandler(handler)


def leave() -> None:
    """End one of several processes, at once and with success, when all of them are done.

    Torn down as usual, a process of the gloo backend now and then aborts on a communication thread that still runs, and
    torchrun then calls the whole training failed.
    """
    torch.distributed.barrier()
    release_folders()
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


class _LogFile(logging.FileHandler):
    def __init__(self, path: Path) -> None:
        super().__init__(path, encoding="utf-8", errors=HANDLER)

    def handleError(self, record: logging.LogRecord) -> None:
        """Quiet: where the disk is full, what matters on it refuses by itself."""


def find_bad_input(error: BaseException | None) -> BadInput | None:
    """The `BadInput` in a chain of causes: the config parser wraps what an expression raises in RuntimeErrors.

    From a worker process of a data loader only its text arrives. A disk that fills up counts wherever it happens, and so do
    faults of a config file that the parser itself finds.
    """
    for cause in _causes(error):
        if isinstance(cause, BadInput):
            return cause
        if told := re.search(rf"{BadInput.__module__}\.BadInput: (.*)", str(cause)):
            return BadInput(told[1])
        if _says_full(cause):
            return BadInput(
                f"{getattr(cause, 'filename', None) or '--output_dir'}: the disk is full; free some space or give "
                "another --output_dir"
            )
        if fault := config_fault(cause):
            return BadInput(fault)
    return None


def disk_is_full(error: BaseException | None) -> bool:
    """Whether an error, or what it came of, says so."""
    return any(map(_says_full, _causes(error)))


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _says_full(error: BaseException | None) -> bool:
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)


def _thread_excepthook(failure: threading.ExceptHookArgs) -> None:
    """TensorBoard writes in a thread of its own and raises what happened there once more in the main thread."""
    if not _says_full(failure.exc_value):
        threading.__excepthook__(failure)


def _excepthook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    refusal = find_bad_input(error)
    if refusal is None:
        sys.__excepthook__(kind, error, trace)
        return
    interruption.deaf()
    release_folders()
    sys.stdout.flush()
    print(f"error: {refusal}", file=sys.stderr, flush=True)
    interruption.end(2)

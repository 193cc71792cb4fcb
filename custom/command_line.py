"""The edge of the command line: refusals become one sentence and exit code 2, misspelt keys are caught.

The only module that looks at `sys.argv`. It reads the config files' keys through MONAI's own parser, because MONAI adds
an unknown key silently and keeps no record of what the files held.
"""

from __future__ import annotations

import difflib
import errno
import logging
import os
import re
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import torch.distributed
from monai.bundle import ConfigParser
from monai.utils.misc import ensure_tuple

from custom.errors import BadInput
from custom.taken import release_folders

# what `monai.bundle run` takes for itself
_RUN_ARGUMENTS = {"run_id", "init_id", "final_id", "meta_file", "config_file", "logging_file", "tracking", "args_file"}


def install() -> None:
    """Make this process a well-behaved command: `BadInput` ends it in one sentence, misspelt keys are refused."""
    sys.excepthook = _excepthook
    threading.excepthook = _thread_excepthook
    check_keys(sys.argv[1:])


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
    def handleError(self, record: logging.LogRecord) -> None:
        """Quiet: where the disk is full, what matters on it refuses by itself."""


def find_bad_input(error: BaseException | None) -> BadInput | None:
    """The `BadInput` in a chain of causes: the config parser wraps what an expression raises in RuntimeErrors.

    From a worker process of a data loader only its text arrives. A disk that fills up counts wherever it happens.
    """
    while error is not None:
        if isinstance(error, BadInput):
            return error
        if told := re.search(rf"{BadInput.__module__}\.BadInput: (.*)", str(error)):
            return BadInput(told[1])
        if _disk_is_full(error):
            return BadInput(
                f"{getattr(error, 'filename', None) or '--output_dir'}: the disk is full; free some space or give "
                "another --output_dir"
            )
        error = error.__cause__ or error.__context__
    return None


def _disk_is_full(error: BaseException | None) -> bool:
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)


def _thread_excepthook(failure: threading.ExceptHookArgs) -> None:
    """TensorBoard writes in a thread of its own and raises what happened there once more in the main thread."""
    if not _disk_is_full(failure.exc_value):
        threading.__excepthook__(failure)


def _excepthook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    refusal = find_bad_input(error)
    if refusal is None:
        sys.__excepthook__(kind, error, trace)
        return
    release_folders()
    sys.stdout.flush()
    print(f"error: {refusal}", file=sys.stderr, flush=True)
    raise SystemExit(2)


def _parse(arguments: Sequence[str]) -> dict[str, str]:
    """`--key value`, `--key=value` and a bare `--key` as a dict, the way `fire` reads them."""
    found: dict[str, str] = {}
    for i, word in enumerate(arguments):
        if not re.match("--|-[a-zA-Z]", word):
            continue
        key, equals, value = word.lstrip("-").partition("=")
        following = arguments[i + 1] if i + 1 < len(arguments) else ""
        found[key.replace("-", "_").replace("#", "::")] = value if equals else following
    return found


def check_keys(arguments: Sequence[str]) -> None:
    """Refuse a command-line key that none of the config files knows.

    Args:
        arguments: the words after the module's name, e.g. ``["run", "training", "--config_file", "train.json"]``;
            words of another command than `run` are left alone.

    Raises:
        BadInput: names the nearest known key.
    """
    if not arguments or arguments[0] != "run":
        return
    given = _parse(arguments)
    if "config_file" not in given:
        return
    config = ConfigParser.load_config_files(_file_list(given["config_file"]))
    for key in given:
        if key not in _RUN_ARGUMENTS:
            _check_key(key, config)


def _file_list(text: str) -> Sequence[str]:
    """`a.json` or the list literal that stacks several files: ``"['a.json','b.json']"``."""
    return ensure_tuple([f.strip(" '\"") for f in text.strip("[]()").split(",") if f.strip(" '\"")])


def _check_key(key: str, config: dict[str, Any]) -> None:
    node: Any = config
    parts = key.split("::")
    for depth, part in enumerate(parts):
        if isinstance(node, list):
            if part.isdigit() and int(part) < len(node):
                node = node[int(part)]
                continue
        elif isinstance(node, dict):
            # a component's own arguments may be added: its constructor refuses the ones that it does not know
            if part not in node and depth > 0 and "_target_" in node:
                return
            if part in node:
                node = node[part]
                continue
        known = [k for k in node if not k.startswith("_")] if isinstance(node, dict) else []
        near = difflib.get_close_matches(part, known, n=1)
        where = "#".join(parts[: depth + 1])
        hint = "#".join([*parts[:depth], near[0]]) if near else None
        cure = f"did you mean --{hint}?" if hint else "remove it, or look in the README for the keys that there are"
        raise BadInput(f"--{where} is not a key of the given config: {cure}")

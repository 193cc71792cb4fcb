"""Runs the parts of a study, each once: a study that was cut off goes on with what is left.

Each is a command of the bundle in a process of its own, marked with its words and the SHA-256 of its inputs: a longer
training redoes what follows from it.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from custom.base.digest import sha256_of
from custom.base.errors import BadInput
from custom.report import plain, write_json
from custom.running.bundle import run_bundle
from custom.study.commands import Part
from custom.study.reading import read_json

Execute = Callable[[Sequence[str], Path], None]  # the words after `python -m monai.bundle`, and the log file


class Bundle:
    """Executes the bundle's commands in processes of their own.

    Args:
        root: the repository root.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def __call__(self, words: Sequence[str], log: Path) -> None:
        """Run one command to its end, its output going to `log`.

        Raises:
            BadInput: its refusal, or where to read what went wrong.
        """
        log.parent.mkdir(parents=True, exist_ok=True)
        with open(log, "w", encoding="utf-8") as file:
            code = run_bundle(words, self.root, file)
        if code == 0:
            return
        refusals = re.findall(r"^error: (.*)$", log.read_text(encoding="utf-8", errors="replace"), flags=re.MULTILINE)
        if code == 2 and refusals:
            raise BadInput(refusals[-1])
        raise BadInput(
            f"{log}: the command that this is the log of ended with code {code}; read its last lines, mend "
            "what they name and give the study's command again, which goes on from here"
        )


def run_part(part: Part, output_dir: Path, execute: Execute) -> bool:
    """Run a part unless it is done with these very words and inputs; whether it was run.

    Raises:
        BadInput: what the command refuses, or a result that it did not leave.
    """
    mark = output_dir / ".parts" / f"{part.name}.json"
    state = {"words": list(part.words), "inputs": {str(path): sha256_of(path) for path in part.inputs}}
    if mark.is_file() and read_json(mark) == plain(state) and all(path.is_file() for path in part.results):
        return False
    mark.unlink(missing_ok=True)
    execute(part.words, output_dir / "logs" / f"{part.name}.log")
    for path in part.results:
        if not path.is_file():
            raise BadInput(f"{path}: was not written by {part.title}; read {output_dir / 'logs'} for the reason")
    write_json(mark, state)
    return True


def listing(dataset_dir: Path, label_folder: str = "labels") -> str:
    """A digest of names, sizes and times of a data set's files, by which a change between two runs is seen."""
    files = sorted(p for name in ("images", label_folder) for p in (dataset_dir / name).rglob("*") if p.is_file())
    files += [path for name in ("splits.json", "scans.json") if (path := dataset_dir / name).is_file()]
    stats = [(os.path.relpath(p, dataset_dir), p.stat().st_size, p.stat().st_mtime_ns) for p in files]
    return hashlib.sha256(repr(stats).encode()).hexdigest()

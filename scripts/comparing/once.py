"""A method run once: what is finished stays, what was cut off goes on, all else is made anew."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from comparing.task import Method, Task
from custom.report import plain, write_json
from custom.study.reading import read_json


def run_once(method: Method, task: Task, folder: Path, asked: Mapping[str, Any]) -> dict[str, Any]:
    """What a method tells of its training, run unless it is done.

    Args:
        folder: of this run alone; emptied where it holds something else than a part of it.
        asked: by which the run is known again, as JSON holds it.
    """
    begun, about, wanted = folder / "asked.json", folder / "about.json", plain(dict(asked))
    same = begun.is_file() and read_json(begun) == wanted
    if same and about.is_file():
        return read_json(about)
    if not same:
        shutil.rmtree(folder, ignore_errors=True)
        write_json(begun, wanted)
    told = method(task, folder)
    write_json(about, told)
    return told

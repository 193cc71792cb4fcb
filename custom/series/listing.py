"""The list of a series: a row a scan, in a CSV or JSON file."""

from __future__ import annotations

import ast
import csv
import json
import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from custom.base.errors import BadInput

SUFFIXES = (".csv", ".json")
ALONG = {
    "charge_mAh_cm2": "charge, mAh/cm2",
    "time_h": "time, h",
    "cycle": "cycle",
}  # in the order in which one is taken
_FILES = ("mask", "probability", "stack")
_FORM = "mask,stack,charge_mAh_cm2"


@dataclass(frozen=True)
class Scan:
    """A row.

    Attributes:
        row: its number, 1 is the first.
        name: of the folder that it is measured into: its own, or its number.
        files: paths by `mask`, `probability` and `stack`; those that are given.
        electrodes: as `--electrodes` takes them; None: as for all scans.
        along: how far the cycling is.
    """

    row: int
    name: str
    files: Mapping[str, str]
    electrodes: Any
    along: float


@dataclass(frozen=True)
class Listed:
    """A series.

    Attributes:
        path: of the list.
        column: that says how far the cycling is, a key of `ALONG`.
        scans: two at least.
    """

    path: Path
    column: str
    scans: tuple[Scan, ...]

    def place(self, scan: Scan) -> str:
        """A scan, for a sentence."""
        return f"{self.path}: row {scan.row}"


def is_series(mask: str | os.PathLike[str]) -> bool:
    """Whether what is to be measured is a list of scans."""
    return Path(mask).suffix.lower() in SUFFIXES


def read_list(path: str | os.PathLike[str]) -> Listed:
    """Read the list.

    Raises:
        BadInput: it cannot be read, lacks a column, has fewer than two rows, or its numbers do not rise.
    """
    path = Path(path)
    rows = _rows(path)
    names = list(dict.fromkeys(name for row in rows for name in row))
    if len(rows) < 2:
        raise BadInput(
            f"{path}: has {len(rows)} row{'' if len(rows) == 1 else 's'}, and a series two at least; list the scans in their "
            "order, or give a single mask to --mask"
        )
    if "mask" not in names:
        raise BadInput(f"{path}: has no column mask but {', '.join(names)}; give it a header such as {_FORM}")
    column = next((name for name in ALONG if name in names), None)
    if column is None:
        raise BadInput(
            f"{path}: no column says how far the cycling is; add {', '.join(list(ALONG)[:-1])} or {list(ALONG)[-1]}"
        )
    scans = tuple(_scan(path, number, row, column) for number, row in enumerate(rows, 1))
    for before, scan in zip(scans, scans[1:], strict=False):
        if not scan.along > before.along:
            raise BadInput(
                f"{path}: row {scan.row} has {column} {scan.along:g} after {before.along:g}, which does not rise; order the "
                "scans as they were taken, or number them in a column cycle alone"
            )
        if scan.name in {other.name for other in scans[: scan.row - 1]}:
            raise BadInput(f"{path}: row {scan.row} has the name {scan.name} of another row; give each scan its own")
    return Listed(path, column, scans)


def _rows(path: Path) -> list[dict[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
        if path.suffix.lower() == ".json":
            rows = json.loads(text)
            if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
                raise ValueError("it is no list of objects")
            return [{str(name): value for name, value in row.items()} for row in rows]
    except OSError as error:
        raise BadInput(f"{path}: cannot be read ({error.strerror}); give --mask a list of scans, or a mask") from error
    except ValueError as error:
        raise BadInput(
            f'{path}: is no list of scans ({error}); write it like [{{"mask": "1.tif", "charge_mAh_cm2": 0}}, ...]'
        ) from error
    lines = [line for line in text.splitlines() if line.strip(" ,;\t")]
    head = lines[0] if lines else ""
    marks = max(",;\t", key=head.count)  # spreadsheets of some countries write semicolons
    return [
        {str(name).strip(): value for name, value in row.items() if name}
        for row in csv.DictReader(lines, delimiter=marks)
    ]


def _scan(path: Path, number: int, row: Mapping[str, Any], column: str) -> Scan:
    given = {name: value for name, value in row.items() if value is not None and str(value).strip()}
    files = {name: str(path.parent / str(given[name]).strip()) for name in _FILES if name in given}
    if "mask" not in files:
        raise BadInput(f"{path}: row {number} has no mask; give its file, or leave the row away")
    try:
        along = float(given.get(column, math.nan))
    except (TypeError, ValueError):
        along = math.nan
    if not math.isfinite(along) or isinstance(given.get(column), bool):
        told = given.get(column)
        raise BadInput(
            f"{path}: row {number} has {'no' if told is None else told} {'' if told is None else 'as '}{column}, which has to be "
            "a number; write it like 1.25"
        )
    name = str(given.get("name", f"{number:03d}")).strip()
    if not re.fullmatch(r"[^/\\:*?\"<>|.][^/\\:*?\"<>|]*", name):
        raise BadInput(f"{path}: row {number} has the name {name}, which no folder can have; take letters and digits")
    return Scan(number, name, files, _electrodes(path, number, given.get("electrodes")), along)


def _electrodes(path: Path, number: int, given: Any) -> Any:
    """Two numbers, or the path of a file beside the list."""
    if given is None or isinstance(given, list):
        return given
    text = str(given).strip()
    if not text.startswith(("[", "(")):
        return str(path.parent / text)
    try:
        return list(ast.literal_eval(text))
    except (SyntaxError, TypeError, ValueError) as error:
        raise BadInput(
            f"{path}: row {number} has the electrodes {text}, which are no two positions; write them like [20,100]"
        ) from error

"""The headline figures of all scans in one table, and the table of where each lies."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from custom.measuring.reading import Cell
from custom.quantities.quantity import Row
from custom.series.listing import Listed
from custom.series.registration import Registered

_NOT = ("mask", "probability", "stack", "electrodes", "thickness_axis", "command", "finished")


def read_figures(folder: Path) -> dict[str, Any]:
    """quantities.json of a scan."""
    found: dict[str, Any] = json.loads((folder / "quantities.json").read_text(encoding="utf-8"))
    return found


def piece_voxels(folder: Path, count: int) -> np.ndarray:
    """Voxels of each agglomerate of a scan, the first has number 1: int64 (count,)."""
    if not count:
        return np.zeros(0, np.int64)
    with open(folder / "agglomerates.csv", newline="", encoding="utf-8") as file:
        return np.array([int(row["voxels"]) for row in csv.DictReader(file)], np.int64)


def series_rows(listed: Listed, figures: Sequence[Mapping[str, Any]]) -> list[Row]:
    """A row for each scan: every figure that is one number, and its least and most by threshold where it has a range."""
    plain = [
        name
        for name in dict.fromkeys(name for one in figures for name in one)
        if name not in _NOT and all(_one_number(one.get(name)) for one in figures)
    ]
    ranged = list(dict.fromkeys(name for one in figures for name in one.get("ranges", ())))
    rows: list[Row] = []
    for scan, one in zip(listed.scans, figures, strict=True):
        row: dict[str, object] = {"scan": scan.name, listed.column: scan.along}
        for name in [*plain, *(name for name in ranged if name not in plain)]:
            row[name] = one.get(name)
            if name in ranged:
                least, most = one.get("ranges", {}).get(name, (None, None))
                row |= {f"{name}_least": least, f"{name}_most": most}
        rows.append(row)
    return rows


def registration_rows(listed: Listed, registered: Sequence[Registered], first: Cell) -> list[Row]:
    """A row for each scan: how it is turned and shifted against the first, and how that may be judged."""
    unit = "voxels" if first.mask.voxel_size_um is None else "um"
    rows: list[Row] = []
    for scan, one in zip(listed.scans, registered, strict=True):
        row: dict[str, object] = {"scan": scan.name, listed.column: scan.along}
        row |= {f"rotation_{axis}_degrees": float(n) for axis, n in zip("zyx", one.move.degrees, strict=True)}
        row |= {f"shift_{axis}_{unit}": float(n) for axis, n in zip("zyx", one.move.shift, strict=True)}
        rows.append({**row, "overlap": one.found.overlap, "agreement": one.found.agreement, "by": one.by})
    return rows


def _one_number(value: Any) -> bool:
    return value is None or isinstance(value, (bool, int, float))

"""What the bundle's commands wrote, read as data."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

from custom.base.errors import BadInput


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object.

    Raises:
        BadInput: a missing or damaged file.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadInput(f"{path}: cannot be read ({error}); delete it and give the study's command again") from error
    if not isinstance(content, dict):
        raise BadInput(f"{path}: holds no JSON object; delete it and give the study's command again")
    return content


def read_curves(path: Path) -> dict[str, list[float]]:
    """The columns of a training's metrics.csv; an epoch without a value is not-a-number."""
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {name: [float(row[name] or "nan") for row in rows] for name in (rows[0] if rows else {})}

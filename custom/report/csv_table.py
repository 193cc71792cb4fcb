"""Tables for spreadsheets, as RFC 4180 has them: a header, commas, CRLF."""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping, Sequence

from custom.base.files import complete_file


def write_table(path: str | os.PathLike[str], rows: Sequence[Mapping[str, object]]) -> None:
    """Write rows of the same columns, at least one, whose names are the header; None becomes an empty cell.

    Raises:
        ValueError: a row has other columns than the first one.
        BadInput: the file cannot be written; nothing is left under its name.
    """
    with complete_file(path) as part, open(part, "w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)

"""What is known of the scans of a series, kept beside its results: a scan more does not make the others anew."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from custom.base.files import complete_file

FOLDER = ".series"


def digest(*settings: Any) -> str:
    """A name for what decides a result; JSON types."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()


class Kept:
    """Notes by name, each with the digest of what it follows from.

    Args:
        folder: of the series' results.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder / FOLDER

    def get(self, name: str, of: str) -> dict[str, Any] | None:
        """What was noted of the same digest; None where nothing was, or of another."""
        try:
            note = json.loads((self.folder / f"{name}.json").read_text(encoding="utf-8"))
            return dict(note["content"]) if note["of"] == of else None
        except (OSError, ValueError, LookupError, TypeError):
            return None

    def has(self, name: str) -> bool:
        """Whether there is a note of that name, of any digest."""
        return (self.folder / f"{name}.json").is_file()

    def put(self, name: str, of: str, content: Mapping[str, Any]) -> None:
        """Note it.

        Raises:
            BadInput: the folder cannot be written to.
        """
        with complete_file(self.folder / f"{name}.json") as part:
            part.write_text(json.dumps({"of": of, "content": dict(content)}), encoding="utf-8")

"""What is known of stacks that share an output folder: which are done, of which files, and why one was refused."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from custom.base.files import complete_file
from custom.running.going_on import stamp
from custom.running.slab_store import SlabStore

STORE = ".stacks"
SUMMARY = "summary.json"  # what a segmentation writes last


class StacksDone:
    """Notes beside the results of several stacks, all made with the same settings; they stay, so that stacks can be added.

    Each process notes its own stacks, so that none waits for another.

    Args:
        folder: of all results.
        settings: what decides them, JSON types.
    """

    def __init__(self, folder: Path, settings: Mapping[str, Any]) -> None:
        self._store = SlabStore(folder / STORE, settings)
        self._folder = folder

    def begin(self, overwrite: bool) -> None:
        """Make ready for a command: those before it with the same settings count.

        Args:
            overwrite: nothing of a command that came to its end counts, and other settings may replace it.

        Raises:
            BadInput: stacks were segmented here with other settings (names what differs), or the folder cannot be written to.
        """
        if overwrite and self._all.exists():
            self._store.remove()
        self._store.begin(overwrite)
        self._all.unlink(missing_ok=True)

    def all_done(self) -> None:
        """The command has come to its end."""
        self._all.touch()

    def begun(self, result: Path) -> None:
        """Note that a stack is going to be segmented, and what lies in the folder of its result by then."""
        with complete_file(self._begun(result)) as part:
            part.write_text(json.dumps(stamp(result / SUMMARY)), encoding="utf-8")

    def finished(self, result: Path, files: str) -> None:
        """Note that a stack is done.

        Args:
            result: folder of its result.
            files: what its files are known by, see `fingerprint`.
        """
        self._store.write(_number(result, self._folder), {"files": np.array(files)})

    def has(self, result: Path, files: str) -> bool:
        """Whether the stack of these files is done, noted or not: a kill may come between its last file and the note."""
        number = _number(result, self._folder)
        if self._store.has(number):
            return str(self._store.read(number)["files"]) == files
        now = stamp(result / SUMMARY)
        if now is None or not self._begun(result).exists():
            return False
        if json.loads(self._begun(result).read_text(encoding="utf-8")) == list(now):
            return False
        self.finished(result, files)
        return True

    def noted(self, result: Path) -> bool:
        """Whether a stack is noted as done, whatever its files are now."""
        return self._store.has(_number(result, self._folder))

    def refused(self, result: Path, why: str | None) -> None:
        """Note why a stack was refused; None: it is not any more."""
        if why is None:
            self._why(result).unlink(missing_ok=True)
            return
        with complete_file(self._why(result)) as part:
            part.write_text(why, encoding="utf-8")

    def refusal(self, result: Path) -> str | None:
        """Why a stack was refused, None where it was not."""
        why = self._why(result)
        return why.read_text(encoding="utf-8") if why.exists() else None

    @property
    def _all(self) -> Path:
        return self._store.folder / "all"

    def _begun(self, result: Path) -> Path:
        return self._store.file(_number(result, self._folder)).with_suffix(".begun")

    def _why(self, result: Path) -> Path:
        return self._store.file(_number(result, self._folder)).with_suffix(".refused")


def _number(result: Path, folder: Path) -> int:
    """Of a result in the store, the same in every list of stacks."""
    name = result.relative_to(folder).as_posix()
    return int(hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()[:12], 16)

"""Finished slabs on disk until the stack is whole: what a killed run leaves behind, and several processes share."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from custom.base.errors import BadInput
from custom.base.files import complete_file

SETTINGS = "settings.json"


class SlabStore:
    """A folder with one file per finished slab.

    A slab's file gets its name when all of it is on disk, so that the file is the mark that the slab is done. It carries
    the digest of the settings that it was made with (stack, weights, threshold, ...), which keeps results apart that do
    not belong together. Different processes write different slabs; none waits for another.

    Assembling the result afterwards takes a second pass over small files, and is one mechanism for every output format, any
    number of processes and any way to die.

    Args:
        folder: made by `begin`.
        settings: whatever decides what a slab's result is; JSON types.
    """

    def __init__(self, folder: str | os.PathLike[str], settings: Mapping[str, Any]) -> None:
        self.folder = Path(folder)
        self.settings: dict[str, Any] = json.loads(json.dumps(dict(settings)))
        self.digest = hashlib.sha256(json.dumps(self.settings, sort_keys=True).encode()).hexdigest()

    def begun(self) -> dict[str, Any] | None:
        """The settings of what is in the folder, or None where nothing usable is."""
        try:
            settings = json.loads((self.folder / SETTINGS).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return settings if isinstance(settings, dict) else None

    def begin(self, overwrite: bool) -> bool:
        """Make the folder ready, and tell whether it goes on with slabs of an earlier run.

        Args:
            overwrite: slabs of other settings may be thrown away.

        Raises:
            BadInput: slabs of other settings are there (names what differs), or the folder cannot be written to.
        """
        before = self.begun()
        if before == self.settings:
            for leftover in self.folder.glob(".*.part"):
                leftover.unlink(missing_ok=True)
            return True
        if before is not None and not overwrite and any(self.folder.glob("*.npz")):
            raise BadInput(
                f"{self.folder.parent}: an unfinished run is here, begun with {self._differences(before)}; "
                "give the command that began it to finish it, --overwrite true to start anew, or another --output_dir"
            )
        self.remove()
        with complete_file(self.folder / SETTINGS) as part:
            part.write_text(json.dumps(self.settings, indent=1), encoding="utf-8")
        return False

    def _differences(self, before: Mapping[str, Any]) -> str:
        names = [name for name in {**before, **self.settings} if before.get(name) != self.settings.get(name)]
        return ", ".join(
            f"a different {name.replace('_', ' ')}" + _shown(before.get(name), self.settings.get(name))
            for name in names
        )

    def file(self, start: int) -> Path:
        """Where the slab that begins with slice `start` is kept."""
        return self.folder / f"{start:08d}.npz"

    def has(self, start: int) -> bool:
        """Whether the slab that begins with slice `start` is done."""
        return self.file(start).is_file()

    def write(self, start: int, content: Mapping[str, np.ndarray]) -> None:
        """Bring a slab's result to disk: when this returns, neither a kill nor a power cut loses it.

        Args:
            start: its first slice.
            content: arrays by name, none of them "settings".

        Raises:
            BadInput: the disk is full or fails; all slabs written before stay.
        """
        with complete_file(self.file(start)) as part, open(part, "wb") as file:
            np.savez_compressed(file, **{"settings": np.array(self.digest), **content})  # type: ignore[arg-type]

    def read(self, start: int) -> dict[str, np.ndarray]:
        """What `write` was given.

        Raises:
            BadInput: the file is missing, damaged, or of other settings; it is removed, so that the next run makes it anew.
        """
        file = self.file(start)
        try:
            with np.load(file) as content:
                if str(content["settings"]) != self.digest:
                    raise ValueError("it is of other settings")
                return {name: content[name] for name in content if name != "settings"}
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            file.unlink(missing_ok=True)
            raise BadInput(f"{file}: cannot be used ({error}); give the same command again to redo it") from error

    def remove(self) -> None:
        """Remove all that is there."""
        if self.folder.exists():
            # first what makes the slabs usable: a kill in between leaves nothing that looks like a run
            (self.folder / SETTINGS).unlink(missing_ok=True)
            shutil.rmtree(self.folder)


def _shown(before: Any, now: Any) -> str:
    """Both values where they are short enough to be read."""
    short = all(isinstance(value, (int, float, list)) or len(str(value)) < 32 for value in (before, now))
    return f" ({before}, now {now})" if short else ""

"""TensorBoard's writer, whatever the name of the folder."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path
from typing import Protocol

from torch.utils.tensorboard.writer import SummaryWriter


class Folder(Protocol):
    """Where a command writes, and whether this process does, as `OutputFolder` tells it."""

    @property
    def path(self) -> str | os.PathLike[str]: ...
    @property
    def writes(self) -> bool: ...


def summary_writer(folder: Folder) -> SummaryWriter | None:
    """A writer of events into `folder`; None on the ranks that write none."""
    return SummaryWriter(_utf8_name(Path(folder.path))) if folder.writes else None


def _utf8_name(folder: Path) -> str:
    """The folder, or a link to it where its name is not UTF-8: TensorBoard encodes names and opens the file ever again."""
    try:
        str(folder).encode()
    except UnicodeEncodeError:
        folder.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix="tensorboard_"))
        atexit.register(shutil.rmtree, aside, ignore_errors=True)
        (aside / "events").symlink_to(folder.absolute(), target_is_directory=True)
        return str(aside / "events")
    return str(folder)

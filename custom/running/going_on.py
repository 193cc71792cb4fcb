"""Whether a file is the one that was there before, and what an interrupted training says of how it goes on."""

from __future__ import annotations

from pathlib import Path

from custom.running.interruption import goes_on
from custom.running.output_folder import OutputFolder


def training_goes_on(folder: OutputFolder) -> None:
    """An interrupted training goes on with `--resume true` where it has a checkpoint of its own; else it begins again.

    Args:
        folder: the training's; what an earlier one left there, which this one replaces, is not its own.
    """
    path = Path(folder.path) / "checkpoint.pt"
    before = None if folder.resume else stamp(path)

    def kept() -> str | None:
        return f"the finished epochs are in {folder.path}" if stamp(path) not in (None, before) else None

    goes_on(kept, ("--resume", "true"), folder.writes, folder.world_size)


def stamp(path: Path) -> tuple[int, int] | None:
    """What another file at this path has otherwise, and one that is written anew; None of none."""
    return (path.stat().st_ino, path.stat().st_mtime_ns) if path.is_file() else None

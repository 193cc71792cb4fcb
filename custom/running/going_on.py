"""What an interrupted training says of how it goes on."""

from __future__ import annotations

import os
from pathlib import Path

from custom.running.interruption import goes_on


def training_goes_on(output_dir: str | os.PathLike[str], resume: bool, rank: int = 0, world_size: int = 1) -> None:
    """An interrupted training goes on with `--resume true` where it has a checkpoint of its own; else it begins again.

    Args:
        output_dir: the training's folder; what an earlier training left there, which this one replaces, is not its own.
        resume: whether it goes on from that.
        rank, world_size: this process among those that train.
    """
    path = Path(output_dir) / "checkpoint.pt"
    before = None if resume else _stamp(path)

    def kept() -> str | None:
        return f"the finished epochs are in {output_dir}" if _stamp(path) not in (None, before) else None

    goes_on(kept, ("--resume", "true"), rank == 0, world_size)


def _stamp(path: Path) -> tuple[int, int] | None:
    return (path.stat().st_ino, path.stat().st_mtime_ns) if path.is_file() else None

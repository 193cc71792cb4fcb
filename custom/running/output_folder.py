"""The output folder of a command, and this process among those that share the command."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from custom.running.taken import release_folder, take_folder


@dataclass(frozen=True)
class OutputFolder:
    """Where a command writes, what it may do with what lies there, and which of its processes this one is.

    Attributes:
        path: of the folder, which may be missing.
        overwrite: whether earlier results may be replaced.
        resume: whether a training goes on with what is there.
        rank, world_size: this process among those that torchrun started.
        job: the name of torchrun's job, where there is one.
    """

    path: str | os.PathLike[str]
    overwrite: bool = False
    resume: bool = False
    rank: int = 0
    world_size: int = 1
    job: str | None = None

    @property
    def writes(self) -> bool:
        """Whether this process writes and speaks for all: the one of rank 0."""
        return self.rank == 0

    def take(self, leaving: Callable[[Path], None] = lambda folder: None) -> None:
        """Take the folder, see `take_folder`."""
        take_folder(self.path, self.job, self.writes, leaving)

    def release(self) -> None:
        """Let go of it, see `release_folder`."""
        release_folder(self.path)

    def share(self, count: int) -> int:
        """This process's part of a number that all share, 1 at least."""
        return max(1, count // self.world_size)

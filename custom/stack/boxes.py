"""Decoded voxels in files, one for a box of whole chunks, which several processes make and read together."""

import os
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from custom.stack.grain import Box

if TYPE_CHECKING:
    from custom.stack.stack import Stack


class BoxFiles:
    """A folder of such files. One gets its name when it is on disk, so that a kill leaves none that is half-written.

    Args:
        folder: made with the first file; whoever gave it removes it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def missing(self, boxes: Iterable[Box]) -> list[Box]:
        """Those of `boxes` that have no file."""
        return [box for box in boxes if not self._file(box).exists()]

    def make(self, stack: "Stack", boxes: Iterable[Box]) -> None:
        """Read what is missing of `boxes` from the stack, with a bar on a terminal; OSError where the disk is full."""
        if missing := self.missing(boxes):
            for box in tqdm(self._turns(missing), "decoding", len(missing), unit="part", leave=False, disable=None):
                if not self._file(box).exists():
                    self._make(stack, box)

    def voxels(self, stack: "Stack", box: Box) -> np.ndarray:
        """A box of the stack, mapped from its file."""
        if not self._file(box).exists():  # the process that owns the folder has removed it
            self._make(stack, box)
        return np.memmap(self._file(box), stack.dtype, "r", shape=tuple(side.stop - side.start for side in box))

    def _file(self, box: Box) -> Path:
        return self.folder / ("_".join(f"{side.start:06d}" for side in box) + ".raw")

    def _turns(self, boxes: list[Box]) -> Iterator[Box]:
        """All of them; those last that another process has begun, be it that it was killed."""
        begun = []
        for box in boxes:
            if any(self.folder.glob(f".{self._file(box).name}.*")):
                begun.append(box)
            else:
                yield box
        yield from begun

    def _make(self, stack: "Stack", box: Box) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        part = self.folder / f".{self._file(box).name}.{uuid.uuid4().hex}"  # there before the work begins
        try:
            with open(part, "wb") as file:
                np.ascontiguousarray(stack.read_box(*box), dtype=stack.dtype).tofile(file)
                os.fsync(file.fileno())
            os.replace(part, self._file(box))
        finally:
            part.unlink(missing_ok=True)

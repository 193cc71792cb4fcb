"""Slices out of chunks that are too tall for memory: decoded once, into files that are read slice by slice."""

import hashlib
import logging
import math
import os
import shutil
import tempfile
import weakref
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from custom.stack.boxes import BoxFiles
from custom.stack.grain import Box, Grain, Layer
from custom.stack.identity import fingerprint
from custom.stack.layers import KeptLayers
from custom.stack.warn import warn_once

if TYPE_CHECKING:
    from custom.stack.stack import Stack

logger = logging.getLogger("stack")

SCRATCH = ".slices"
BOX_BYTES = 1 << 27  # of a file, and of the memory that making it takes


def remove_scratch(folder: Path) -> None:
    """Remove what reading stacks has left in `folder`, if anything."""
    shutil.rmtree(folder / SCRATCH, ignore_errors=True)


class Scratch:
    """Keeps the voxels of a stack, once decoded, in files, which a run that goes on and other processes take up.

    Where there is no room for them, bands of layers are kept in memory instead, and chunks are decoded several times.

    Args:
        grain: the chunks of the stack.
        most: slices of a band, at most.
        folder: gets a folder `.slices`, for its owner to remove; None: the system's folder of temporary files, until this
            object goes.
        volume: tells this volume apart from others of the same file.
    """

    def __init__(self, grain: Grain, most: int, folder: Path | None, volume: str) -> None:
        self.grain, self.folder, self.volume = grain, folder, volume
        self._bands = KeptLayers(grain.bands(most))
        self._files: BoxFiles | None = None
        self._room = True

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_files": None}  # a temporary folder goes with the object that made it

    def read(self, stack: "Stack", start: int, stop: int) -> np.ndarray:
        """The slices start, ..., stop - 1 of `stack`, in memory of their own."""
        layers = self.grain.layers(start, stop)
        if start <= layers[0][0] and layers[-1][1] <= stop:
            return stack.read_box(slice(start, stop))
        try:
            if self._room:
                return self._from_files(stack, self._begun(stack), start, stop)
        except OSError as error:
            self._room = False
            self._warn(stack, error.strerror or str(error))
            if self._files is not None:
                shutil.rmtree(self._files.folder, ignore_errors=True)
        return self._bands.read(stack, start, stop)

    def _from_files(self, stack: "Stack", files: BoxFiles, start: int, stop: int) -> np.ndarray:
        boxes = self._boxes(stack, self.grain.layers(start, stop))
        files.make(stack, boxes)
        slices = np.empty((stop - start, *stack.shape[1:]), stack.dtype)
        for z, y, x in boxes:
            low, high = max(z.start, start), min(z.stop, stop)
            slices[low - start : high - start, y, x] = files.voxels(stack, (z, y, x))[low - z.start : high - z.start]
        return slices

    def _boxes(self, stack: "Stack", layers: Iterable[Layer]) -> list[Box]:
        return [box for layer in layers for box in self.grain.boxes(layer, BOX_BYTES // stack.dtype.itemsize)]

    def _begun(self, stack: "Stack") -> BoxFiles:
        """The files; OSError where there is no room for all of them."""
        if self._files is None:
            files = BoxFiles(self._own_folder(stack))
            missing = files.missing(self._boxes(stack, self.grain.layers(0, stack.shape[0])))
            needed = sum(math.prod(side.stop - side.start for side in box) for box in missing) * stack.dtype.itemsize
            free = shutil.disk_usage(next(there for there in files.folder.parents if there.exists())).free
            if needed > free:
                raise OSError(f"{in_bytes(needed)} are wanted and {in_bytes(free)} free")
            logger.info(
                "%s: its chunks are up to %d slices tall and are decoded once, into %s (%s, removed at the end).",
                *(stack.path, self.grain.tallest, files.folder, in_bytes(needed)),
            )
            self._files = files
        return self._files

    def _own_folder(self, stack: "Stack") -> Path:
        if self.folder is None:
            own = Path(tempfile.mkdtemp(prefix="slices-"))
            weakref.finalize(self, _remove, own, os.getpid())
            return own
        name = f"{fingerprint(stack)} {self.volume} {self.grain} {BOX_BYTES}"
        return self.folder / SCRATCH / hashlib.sha256(name.encode()).hexdigest()[:16]

    def _warn(self, stack: "Stack", reason: str) -> None:
        folder, cure = (tempfile.gettempdir(), "TMPDIR") if self.folder is None else (self.folder, "--output_dir")
        times = math.ceil(self.grain.tallest / self._bands.grain.tallest)
        warn_once(
            f"{stack.path}: its chunks are up to {self.grain.tallest} slices tall and cannot be kept decoded in {folder} "
            f"({reason}), so that a pass over it reads it up to {times} times; name a folder with more room by {cure}, or "
            "save the stack in chunks of fewer slices."
        )


def in_bytes(count: int) -> str:
    """As words, such as 1.50 GB."""
    return f"{count / 1e9:.2f} GB" if count >= 1e7 else f"{count / 1e6:.2f} MB"


def _remove(folder: Path, owner: int) -> None:
    if os.getpid() == owner:  # a forked process holds a copy of the object
        shutil.rmtree(folder, ignore_errors=True)

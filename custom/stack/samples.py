"""Slices that are gone through several times, though their file is read once for them."""

import math
import tempfile
from collections.abc import Sequence
from itertools import groupby

import numpy as np
from tqdm import tqdm

from custom.stack.stack import Stack

_IN_MEMORY = 1 << 26

Sample = tuple[Stack | np.ndarray, int]  # a volume and z


def at_hand(samples: Sequence[Sample], once: bool = False) -> list[Sample]:
    """The same slices, each read once where reading it again would cost more than the slice, or too much of a short stack.

    They are then in memory, or, where they take more than 64 MB, in a temporary file without a name. Where there is no room
    for it, or no need, they are left where they are.

    Args:
        samples: volumes and z, ascending within a volume.
        once: whether they are mostly gone through once.
    """
    few = sum(_slice_bytes(volume) for volume, _ in samples) <= _IN_MEMORY  # single slices are kept only together
    found: list[Sample] = []
    for _, group in groupby(samples, key=lambda sample: id(sample[0])):
        wanted = list(group)
        volume, places = wanted[0][0], [z for _, z in wanted]
        if isinstance(volume, Stack) and (few or len(places) > 1) and _costly(volume, len(places), once):
            wanted = _kept(volume, places)
        found += wanted
    return found


def _slice_bytes(volume: Stack | np.ndarray) -> int:
    return math.prod(volume.shape[1:]) * volume.dtype.itemsize


def _costly(volume: Stack, count: int, once: bool) -> bool:
    """Whether going through `count` of its slices twice, and once through all, reads more than twice the stack."""
    return volume.costly_again or not (once or volume.mapped or 2 * count <= volume.shape[0])


def _kept(volume: Stack, places: Sequence[int]) -> list[Sample]:
    turns = tqdm(places, "reading for the grey window", unit="slice", leave=False, delay=2, disable=None)
    if _slice_bytes(volume) * len(places) <= _IN_MEMORY:
        kept = np.empty((len(places), *volume.shape[1:]), volume.dtype)
        for number, z in enumerate(turns):
            kept[number : number + 1] = volume.read(z, z + 1)
        return [(kept, number) for number in range(len(places))]
    try:
        spool = _Spool(volume, turns, len(places))
    except OSError:  # no room
        return [(volume, z) for z in places]
    return [(spool, number) for number in range(len(places))]


class _Spool(Stack):
    """Some slices of a stack in a temporary file, which goes with this object."""

    def __init__(self, volume: Stack, places: "tqdm[int]", count: int) -> None:
        super().__init__(volume.path, (count, *volume.shape[1:]), volume.dtype, volume.voxel_size)
        folder = volume.scratch_dir
        there = None if folder is None else next(one for one in (folder, *folder.parents) if one.is_dir())
        self._file = tempfile.TemporaryFile(dir=there)  # noqa: SIM115 (as long as this object)
        for z in places:
            volume.read(z, z + 1).tofile(self._file)

    def __del__(self) -> None:
        if hasattr(self, "_file"):
            self._file.close()

    def _read(self, start: int, stop: int) -> np.ndarray:
        shape = stop - start, *self.shape[1:]
        self._file.seek(start * math.prod(self.shape[1:]) * self.dtype.itemsize)
        return np.fromfile(self._file, self.dtype, math.prod(shape)).reshape(shape)

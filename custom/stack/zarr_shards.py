"""Which chunks a shard of Zarr 3 holds: its index says so, and zarr reads the fill value where it names none."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
import zarr
from zarr.codecs import BytesCodec, Crc32cCodec, ShardingCodec

_MISSING = (1 << 64) - 1  # in place of a chunk's position


@dataclass(frozen=True)
class ShardIndex:
    """Where the index lies in a shard, and how it is stored.

    Attributes:
        grid: chunks of a shard along each axis.
        at_end: whether it ends the shard, else it begins it.
        checksum: whether 4 bytes of a checksum follow it.
        dtype: of its numbers, position and length of each chunk.
    """

    grid: tuple[int, ...]
    at_end: bool
    checksum: bool
    dtype: str

    def read(self, file: IO[bytes], length: int) -> np.ndarray:
        """Which chunks are there, bool of shape `grid`; all, where the shard is too short for an index."""
        count = math.prod(self.grid)
        size = 16 * count + 4 * self.checksum
        if length < size:
            return np.ones(self.grid, bool)  # reading its voxels tells what is wrong with it
        file.seek(length - size if self.at_end else 0)
        numbers = np.frombuffer(file.read(16 * count), self.dtype).reshape(count, 2)
        found: np.ndarray = (numbers[:, 0] != _MISSING).reshape(self.grid)
        return found


def shard_index(array: zarr.Array) -> ShardIndex | None:
    """How the shards of an array are indexed; None without shards, or where these are encoded once more, or the index is."""
    codecs: tuple[object, ...] = tuple(getattr(array.metadata, "codecs", ()))
    if len(codecs) != 1 or not isinstance(codecs[0], ShardingCodec) or array.shards is None:
        return None
    sharding = codecs[0]
    first, *rest = sharding.index_codecs
    if not isinstance(first, BytesCodec) or not all(isinstance(one, Crc32cCodec) for one in rest) or len(rest) > 1:
        return None
    grid = tuple(shard // chunk for shard, chunk in zip(array.shards, array.chunks, strict=True))
    order = ">" if first.endian is not None and first.endian.value == "big" else "<"
    return ShardIndex(grid, sharding.index_location.value == "end", bool(rest), f"{order}u8")


@contextmanager
def opened(path: Path) -> Iterator[Callable[[str, ShardIndex], np.ndarray]]:
    """Gives a function that reads the index of one shard, by its name within a folder or a zip."""
    if path.is_dir():

        def read(name: str, index: ShardIndex) -> np.ndarray:
            with open(path / name, "rb") as file:
                return index.read(file, (path / name).stat().st_size)

        yield read
        return
    with zipfile.ZipFile(path) as archive:

        def read_entry(name: str, index: ShardIndex) -> np.ndarray:
            with archive.open(name) as file:
                return index.read(file, archive.getinfo(name).file_size)

        yield read_entry

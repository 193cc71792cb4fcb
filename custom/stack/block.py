"""Voxels that lie in a file as one block, plain or compressed.

NIfTI, NRRD, MetaImage, .npy, MRC, Amira, bare voxels and uncompressed TIFF all store them so; their readers only find the
block.
"""

import bz2
import math
import os
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Literal, Protocol

import numpy as np

from custom.base.errors import BadInput
from custom.stack.axes import Axes
from custom.stack.faults import refusing_damage
from custom.stack.grain import grain_of_block
from custom.stack.handle import Handle
from custom.stack.run_lengths import RunLengths
from custom.stack.stack import Stack
from custom.stack.units import VoxelSize

Encoding = Literal["raw", "deflate", "bzip2", "runs"]
_READ_BYTES = 1 << 14  # deflate shrinks at most 1032 times, so that one piece never exceeds 17 MB


@dataclass(frozen=True)
class Block:
    """Where the voxels are.

    Attributes:
        file: the file that holds them.
        offset: position in that file of the first stored voxel, or of the compressed stream.
        axes: of the stored array, and where the volume lies in it.
        dtype: stored type with its byte order.
        encoding: "raw", "deflate" (gzip or zlib), "bzip2" or "runs" (of bytes, see `RunLengths`).
        skip: bytes before the first stored voxel within the decompressed stream.
        order: "C" where the last axis is the fastest, which it must be unless raw; "F" where the first is.
    """

    file: Path
    offset: int
    axes: Axes
    dtype: np.dtype
    encoding: Encoding = "raw"
    skip: int = 0
    order: Literal["C", "F"] = "C"

    @property
    def slice_bytes(self) -> int:
        """Bytes of one uncompressed slice."""
        return math.prod(self.axes.shape[1:]) * self.dtype.itemsize


def data_file(header: Path, name: str) -> Path:
    """The file beside a header that holds its voxels.

    Args:
        header: path of the header.
        name: as the header has it, its bytes decoded as UTF-8 and those that are none kept as surrogates.

    Raises:
        BadInput: there is none.
    """
    found = header.parent / os.fsdecode(name.encode("utf-8", "surrogateescape"))
    if not found.is_file():
        last = re.split(r"[\\/]", name)[-1]
        beside = last != name and (header.parent / last).is_file()
        cure = f"which is beside it: write {last} alone into the header" if beside else "put it back beside the header"
        raise BadInput(f"{header}: its data file {name} is missing{', ' if beside else '; '}{cure}.")
    return found


def open_block(path: str | os.PathLike[str], block: Block, voxel_size: VoxelSize | None) -> Stack:
    """The stack at `path` whose voxels are `block`.

    Raises:
        BadInput: a raw block reaches beyond the end of its file, or the type is not a number.
    """
    if block.encoding != "raw":
        return CompressedBlockStack(path, block, voxel_size)
    present = block.file.stat().st_size
    needed = block.offset + math.prod(block.axes.lengths) * block.dtype.itemsize
    if needed > present:
        raise BadInput(
            f"{block.file}: is cut short, {needed} bytes are announced and {present} are there; "
            "copy it again from its source."
        )
    stack = RawBlockStack(path, block, voxel_size)
    stack.grain = grain_of_block(block.axes, block.dtype.itemsize, block.order)
    return stack


class _BlockStack(Stack):
    def __init__(self, path: str | os.PathLike[str], block: Block, voxel_size: VoxelSize | None) -> None:
        super().__init__(path, block.axes.shape, block.dtype, voxel_size)
        self._block = block
        self.files = list(dict.fromkeys([self.path, block.file]))  # a header may lie in a file of its own


class RawBlockStack(_BlockStack):
    """Maps the file anew for each read, so that pages already read do not count as memory of the process."""

    mapped = True

    def _read(self, start: int, stop: int) -> np.ndarray:
        return self.read_box(slice(start, stop))

    def read_box(self, z: slice, y: slice = slice(None), x: slice = slice(None)) -> np.ndarray:
        """See `Stack.read_box`."""
        block = self._block
        with refusing_damage(block.file):
            mapped = np.memmap(block.file, block.dtype, "r", block.offset, block.axes.lengths, block.order)
            part = mapped[block.axes.slices(z.start, z.stop, y, x)]
            return np.array(block.axes.turned(part), order="C", subok=False)


class CompressedBlockStack(_BlockStack):
    """Decompresses forwards; a read that goes back starts again at the first slice."""

    costly_again = True

    def __init__(self, path: str | os.PathLike[str], block: Block, voxel_size: VoxelSize | None) -> None:
        super().__init__(path, block, voxel_size)
        self._stream = Handle(partial(_DecompressedFile, block.file, block.offset, _unpacker(block)))

    def _read(self, start: int, stop: int) -> np.ndarray:
        block = self._block
        slices = np.empty((stop - start, *self.shape[1:]), block.dtype)
        first_byte = block.skip + block.axes.first_voxel * block.dtype.itemsize
        with refusing_damage(block.file, f"slices {start} to {stop - 1}"), self._stream.lend() as stream:
            stream.read_into(slices.reshape(-1).view(np.uint8), first_byte + start * block.slice_bytes)
            if stop == self.shape[0]:
                stream.verify()
        return slices


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, /) -> bytes: ...


def _unpacker(block: Block) -> Callable[[], _Decompressor]:
    if block.encoding == "runs":
        return partial(RunLengths, math.prod(block.axes.lengths) * block.dtype.itemsize)
    # 32 + 15 window bits: zlib finds out itself whether the header is that of gzip or of zlib.
    return bz2.BZ2Decompressor if block.encoding == "bzip2" else partial(zlib.decompressobj, 32 + zlib.MAX_WBITS)


class _DecompressedFile:
    """The decompressed bytes of a file, from a given position on."""

    def __init__(self, path: Path, offset: int, new_decompressor: Callable[[], _Decompressor]) -> None:
        self._new_decompressor = new_decompressor
        self._offset = offset
        self._file: IO[bytes] = open(path, "rb")  # noqa: SIM115 (closed by close)
        self._position = 0
        self._piece = memoryview(b"")
        self._restart()

    def close(self) -> None:
        self._file.close()

    def read_into(self, target: np.ndarray, position: int) -> None:
        """Fill the bytes of `target` with those from `position` on; EOFError where the stream ends before."""
        if position < self._position:
            self._restart()
        while self._position < position:
            self._position += len(self._take(position - self._position))
        filled = 0
        while filled < target.size:
            piece = self._take(target.size - filled)
            target[filled : filled + len(piece)] = np.frombuffer(piece, np.uint8)
            filled += len(piece)
        self._position += filled

    def verify(self) -> None:
        """Run to the end of the stream, where gzip and bzip2 keep a checksum; zlib.error or EOFError where it fails."""
        while not self._decompressor.eof:
            self._position += len(self._piece)
            self._piece = memoryview(self._decompress_more())

    def _restart(self) -> None:
        self._file.seek(self._offset)
        self._decompressor = self._new_decompressor()
        self._piece = memoryview(b"")
        self._position = 0

    def _take(self, most: int) -> memoryview:
        """The next bytes, at least 1 and at most `most`."""
        while not self._piece:
            self._piece = memoryview(self._decompress_more())
        taken, self._piece = self._piece[:most], self._piece[most:]
        return taken

    def _decompress_more(self) -> bytes:
        unused = b""
        if self._decompressor.eof:  # gzip files may hold several streams one after another
            unused, self._decompressor = self._decompressor.unused_data, self._new_decompressor()
        compressed = unused or self._file.read(_READ_BYTES)
        if not compressed:
            raise EOFError("the compressed data end before the last slice")
        return self._decompressor.decompress(compressed)

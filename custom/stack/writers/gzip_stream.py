"""gzip in one pass, the same bytes for the same voxels."""

import zlib
from pathlib import Path
from typing import Any

import numpy.typing as npt

GZIP = 16 + zlib.MAX_WBITS  # zlib then writes gzip's frame, with neither a time nor a file name in it


class GzipStream:
    """A file that takes plain bytes first, if any, and gzip-compressed ones after."""

    def __init__(self, target: Path, plain: bytes = b"") -> None:
        self._file = open(target, "wb")  # noqa: SIM115  (open until the last slab)
        self._compressor = zlib.compressobj(wbits=GZIP)
        self._file.write(plain)

    def write(self, data: bytes) -> None:
        """Compress and write."""
        self._file.write(self._compressor.compress(data))

    def write_slices(self, slab: npt.NDArray[Any]) -> None:
        """Compress and write a slab (h, Y, X), x fastest.

        Slice by slice, so that the calls of zlib, and with them the bytes, do not depend on the height of the slabs.
        """
        for plane in slab:
            self._file.write(self._compressor.compress(plane.data))

    def finish(self) -> None:
        """Write the end of the gzip frame and close the file."""
        self._file.write(self._compressor.flush())
        self._file.close()

    def close(self) -> None:
        """Close the file as it is."""
        self._file.close()

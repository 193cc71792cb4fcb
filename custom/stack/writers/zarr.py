"""OME-Zarr 0.5 (zarr version 3)."""

from itertools import pairwise, product
from pathlib import Path
from typing import Any

import numpy.typing as npt
import zarr
from zarr.codecs import ZstdCodec

from custom.stack.writers.encoder import Encoder, Layout

CHUNK = (16, 256, 256)  # 1 MB of mask: few files, and a slab of any height rewrites only one layer of chunks


class ZarrEncoder(Encoder):
    """A .zarr folder with one resolution level, the array `0` (https://ngff.openmicroscopy.org/0.5)."""

    suffix = ".zarr"
    folder = True

    def __init__(self, target: Path, layout: Layout) -> None:
        group = zarr.create_group(target, zarr_format=3)
        group.attrs["ome"] = _metadata(layout)
        self._array = group.create_array(
            "0",
            shape=layout.shape,
            dtype=layout.dtype,
            chunks=tuple(min(pair) for pair in zip(CHUNK, layout.shape, strict=True)),
            compressors=ZstdCodec(level=3),
            dimension_names=["z", "y", "x"],
            config={"write_empty_chunks": True},  # a chunk that is not there is then one that got lost
        )

    def append(self, start: int, slab: npt.NDArray[Any]) -> None:
        # One chunk a call: zarr writes the chunks of one call side by side, and where one fails the others would still
        # be on their way, into a folder that is being removed.
        stop = start + len(slab)
        depth, height, width = self._array.chunks
        cuts = [start, *range(start - start % depth + depth, stop, depth), stop]
        for z_start, z_stop in pairwise(cuts):
            for y, x in product(range(0, slab.shape[1], height), range(0, slab.shape[2], width)):
                tile = slice(y, y + height), slice(x, x + width)
                self._array[z_start:z_stop, *tile] = slab[z_start - start : z_stop - start, *tile]

    def finish(self) -> None:
        """Nothing is pending: every slab is on its way to disk when `append` returns."""

    def release(self) -> None:
        """Nothing is held open between slabs."""


def _metadata(layout: Layout) -> dict[str, Any]:
    unit = {} if layout.voxel_size_um is None else {"unit": "micrometer"}
    scale = {"type": "scale", "scale": list(layout.voxel_size_um or (1.0, 1.0, 1.0))}
    return {
        "version": "0.5",
        "multiscales": [
            {
                "axes": [{"name": axis, "type": "space", **unit} for axis in "zyx"],
                "datasets": [{"path": "0", "coordinateTransformations": [scale]}],
            }
        ],
    }

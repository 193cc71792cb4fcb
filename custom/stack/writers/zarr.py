"""OME-Zarr 0.5 (zarr version 3), multiscale."""

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import zarr
from zarr.codecs import ZstdCodec

from custom.stack.writers.encoder import Encoder, Layout
from custom.stack.writers.pyramid import Level, halve, levels_of

# 1 MB of mask: few files. The depth is even, so that blocks of 2 x 2 x 2 voxels never lie across two layers of chunks.
CHUNK = (16, 256, 256)


class ZarrEncoder(Encoder):
    """A .zarr folder (https://ngff.openmicroscopy.org/0.5) with the stack as the array `0`.

    The arrays `1`, `2`, ... are overviews, each half as fine along z, y and x, until a plane fits into 256 x 256. Their
    voxels are the maximum of the voxels that they stand for: figures are to be taken from `0` alone.
    """

    suffix = ".zarr"
    folder = True

    def __init__(self, target: Path, layout: Layout) -> None:
        levels = levels_of(layout.shape)
        group = zarr.create_group(target, zarr_format=3)
        group.attrs["ome"] = _metadata(layout, levels)
        self._finest: _Layers | None = None
        for path, level in reversed(list(enumerate(levels))):
            array = group.create_array(
                str(path),
                shape=level.shape,
                dtype=layout.dtype,
                chunks=tuple(min(pair) for pair in zip(CHUNK, level.shape, strict=True)),
                compressors=ZstdCodec(level=3),
                dimension_names=["z", "y", "x"],
                config={"write_empty_chunks": True},  # a chunk that is not there is then one that got lost
            )
            self._finest = _Layers(array, self._finest)

    def append(self, start: int, slab: npt.NDArray[Any]) -> None:
        assert self._finest is not None
        self._finest.append(slab)

    def finish(self) -> None:
        """Nothing is pending: with the last slice the last layer of chunks is on its way to disk."""

    def release(self) -> None:
        self._finest = None  # with the slices that wait for their layer to be whole


class _Layers:
    """An array on its way to disk a layer of chunks at a time, each chunk written once, whatever the slabs."""

    def __init__(self, array: zarr.Array[Any], coarser: "_Layers | None") -> None:
        self._array = array
        self._coarser = coarser
        self._layer = np.empty((array.chunks[0], *array.shape[1:]), array.dtype)
        self._start, self._filled = 0, 0

    def append(self, slab: npt.NDArray[Any]) -> None:
        """Take the next slices, (h, Y, X); the coarser level gets its own as layers become whole."""
        while len(slab):
            room = self._layer[self._filled :]
            taken = slab[: len(room)]
            room[: len(taken)] = taken
            slab = slab[len(taken) :]
            self._filled += len(taken)
            if self._filled == len(self._layer) or self._start + self._filled == self._array.shape[0]:
                self._write(self._start, self._layer[: self._filled])
                self._start, self._filled = self._start + self._filled, 0

    def _write(self, start: int, layer: npt.NDArray[Any]) -> None:
        # One chunk a call: zarr writes the chunks of one call side by side, and where one fails the others would still
        # be on their way, into a folder that is being removed.
        _, height, width = self._array.chunks
        for y, x in product(range(0, layer.shape[1], height), range(0, layer.shape[2], width)):
            tile = slice(y, y + height), slice(x, x + width)
            self._array[start : start + len(layer), *tile] = layer[:, *tile]
        if self._coarser is not None:
            self._coarser.append(halve(layer))


def _metadata(layout: Layout, levels: list[Level]) -> dict[str, Any]:
    unit = {} if layout.voxel_size_um is None else {"unit": "micrometer"}
    return {
        "version": "0.5",
        "multiscales": [
            {
                "name": layout.name,
                "axes": [{"name": axis, "type": "space", **unit} for axis in "zyx"],
                "datasets": [
                    {"path": str(path), "coordinateTransformations": _transformations(layout, level)}
                    for path, level in enumerate(levels)
                ],
                "type": "maximum",
                "metadata": {"method": "maximum of 2 x 2 x 2 voxels of the finer level", "measure_on": "0"},
            }
        ],
    }


def _transformations(layout: Layout, level: Level) -> list[dict[str, Any]]:
    """Voxel size of a level and, where its first voxel has another centre than the stack's, that centre."""
    size = np.array(layout.voxel_size_um or (1.0, 1.0, 1.0))
    scale = {"type": "scale", "scale": (size * level.factors).tolist()}
    shift = {"type": "translation", "translation": (size * level.shift).tolist()}
    return [scale, shift] if any(level.shift) else [scale]

"""Telling a half-written Zarr array from one that is empty in places.

zarr answers with the fill value, and without an error, where the file of a chunk is missing. That is how a chunk that
holds nothing but the fill value is stored, unless its writer was told otherwise, and also how an array looks whose writer
was stopped. Nothing in the format tells the two apart; these rules do:

- No chunk at all: half-written. A volume of a single value is nothing to segment.
- The last slices have no chunk at all, and the voxels have 16 bits or more: half-written. Writers go along z, and grey
  values of a scan have noise everywhere, save around a round field of view, which leaves out the same chunks in all slices.
- Anything else, such as a mask of 8 bits that is empty at one end: taken, with a warning that counts the chunks. So are
  labels of a training set, whatever their type: napari's have 32 bits, and a slice without lithium has no chunk.
"""

import itertools
import os
import zipfile
from pathlib import Path

import numpy as np
import zarr

from custom.base.errors import BadInput
from custom.stack.axes import Axes
from custom.stack.ranges import in_ranges
from custom.stack.warn import warn_once
from custom.stack.zarr_shards import ShardIndex, opened, shard_index


def check_chunks(path: Path, array: zarr.Array, axes: Axes, labels: bool = False) -> None:
    """Look for the files of all chunks of the volume, and within shards for what their index names; no voxel is read.

    Args:
        path: the .zarr folder or the .zarr.zip file.
        array: in it.
        axes: where the volume lies in the array.
        labels: whether it holds labels.

    Raises:
        BadInput: the array is half-written.
    """
    there, tall = _present(path, array, axes)
    total, missing = there.size, int(there.size - np.count_nonzero(there))
    if not missing:
        return
    name = f"array {array.path}" if array.path else "array"
    if missing == total and not labels:
        raise BadInput(
            f"{path}: is half-written, none of the {total} chunks of its {name} is there; copy or write it anew."
        )
    layers = int(np.flatnonzero(there.any(axis=1)).max(initial=-1)) + 1
    if axes.z is not None and layers < len(there) and array.dtype.itemsize > 1 and not labels:
        raise BadInput(
            f"{path}: is half-written, it lacks {missing} of the {total} chunks of its {name} and with them all slices "
            f"from {layers * tall} on; copy or write it anew, or without the empty slices if they are meant."
        )
    empty = np.repeat(~there.any(axis=1), tall)[: axes.shape[0]]
    slices = f", and with them the {in_ranges(np.flatnonzero(empty))}" if empty.any() else ""
    warn_once(
        f"{path}: lacks {missing} of the {total} chunks of its {name}{slices}, which are read as {array.fill_value or 0}; "
        "that is right where its writer leaves out empty chunks, else it is half-written: copy or write it anew."
    )


def read_as_a_whole(array: zarr.Array) -> tuple[int, ...]:
    """Lengths of what zarr decodes at once: a chunk, be it within a shard, unless the shard itself is encoded once more."""
    encoded_again = len(getattr(array.metadata, "codecs", ())) > 1
    return array.shards if array.shards and encoded_again else array.chunks


def _present(path: Path, array: zarr.Array, axes: Axes) -> tuple[np.ndarray, int]:
    """Which chunks of the volume exist, bool (layers along z, chunks in a layer), and how many slices a layer has."""
    files = _files(path, array.path)
    sizes = array.shards or array.chunks
    ranges = []
    for axis, (length, size) in enumerate(zip(array.shape, sizes, strict=True)):
        in_volume = axis in (axes.z, axes.y, axes.x)
        ranges.append(range(-(-length // size)) if in_volume else [axes.at[axis] // size])
    keys = [array.metadata.encode_chunk_key(place) for place in itertools.product(*ranges)]
    for key in keys:
        if files.get(key) == 0:
            raise BadInput(f"{path}: is half-written, the chunk {key} of it is empty (0 bytes); copy or write it anew.")
    there = np.array([key in files for key in keys]).reshape([len(places) for places in ranges])
    if (index := shard_index(array)) is not None:
        there, sizes = _within_shards(path, array, axes, there, keys, index), array.chunks
    if axes.z is None:
        return there.reshape(1, -1), 1
    return np.moveaxis(there, axes.z, 0).reshape(there.shape[axes.z], -1), sizes[axes.z]


def _within_shards(
    path: Path, array: zarr.Array, axes: Axes, shards: np.ndarray, keys: list[str], index: ShardIndex
) -> np.ndarray:
    """Which chunks are there within the shards that are, bool, with as many axes as the array."""
    found = np.zeros((*shards.shape, *index.grid), bool)
    if shards.any():
        with opened(path) as read:
            for place, key in zip(np.ndindex(shards.shape), keys, strict=True):
                if shards[place]:
                    found[place] = read(f"{array.path}/{key}".lstrip("/"), index)
    count = found.ndim // 2
    sides = [a * b for a, b in zip(shards.shape, index.grid, strict=True)]
    found = found.transpose([axis + half for axis in range(count) for half in (0, count)]).reshape(sides)
    cut: list[slice] = []
    for axis, (length, chunk, per_shard) in enumerate(zip(array.shape, array.chunks, index.grid, strict=True)):
        inside = axis in (axes.z, axes.y, axes.x)
        at = axes.at[axis] // chunk % per_shard
        cut.append(slice(-(-length // chunk)) if inside else slice(at, at + 1))
    return found[tuple(cut)]


def _files(path: Path, inside: str) -> dict[str, int]:
    """The files in the folder `inside`, by their names relative to it, and their bytes."""
    if path.is_dir():
        base = path / inside
        found = (Path(folder, name) for folder, _, names in os.walk(base) for name in names)
        return {file.relative_to(base).as_posix(): file.stat().st_size for file in found}
    prefix = f"{inside}/" if inside else ""
    with zipfile.ZipFile(path) as archive:
        entries = [entry for entry in archive.infolist() if entry.filename.startswith(prefix)]
    return {entry.filename.removeprefix(prefix): entry.file_size for entry in entries}

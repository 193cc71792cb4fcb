"""Zarr, versions 2 and 3 (a .zarr folder or a .zarr.zip file): an array, a group with one, or OME-Zarr."""

import math
import re
import warnings
from functools import partial
from pathlib import Path
from typing import Any, cast

import zarr
from zarr.storage import LocalStore, ZipStore

from custom.errors import BadInput
from custom.stack.arrays import ArrayStack
from custom.stack.axes import find_axes
from custom.stack.faults import refusing_damage
from custom.stack.handle import Handle
from custom.stack.listing import listed
from custom.stack.ome_zarr import Pyramid, pyramid
from custom.stack.selection import Selection
from custom.stack.stack import Stack
from custom.stack.zarr_chunks import check_chunks

_BYTES_AT_ONCE = 1 << 26
_MARKERS = ("zarr.json", ".zarray", ".zgroup")


def is_zarr(folder: Path) -> bool:
    """Whether a folder is meant as Zarr: by its suffix or by the metadata in it."""
    return folder.suffix.lower() == ".zarr" or any((folder / name).is_file() for name in _MARKERS)


def open_zarr(path: Path, chosen: Selection) -> Stack:
    """Open an array of a Zarr hierarchy, by default level 0 of an OME-Zarr or the only array of a group.

    The axes are those of OME-Zarr, else the dimension names of the array, else ..., z, y, x. The voxel size is known where
    OME-Zarr states a scale and a unit; that of a coarser level, opened by its key, is not, as writers often get it wrong.

    Raises:
        BadInput: no metadata, or damaged; no array, or several and none named; a missing level 0; half-written (see
            `zarr_chunks`); not of plain numbers, or not one volume.
    """
    if re.search(r"\.part-\w+$", path.name):
        raise BadInput(f"{path}: is the unfinished part of a result; run the segmentation that writes it to its end.")
    if path.is_file() and path.suffix.lower() != ".zip":
        raise BadInput(f"{path}: is a file where a .zarr folder is wanted; copy the whole folder from its source.")
    handle = Handle(partial(_OpenZarr, path, chosen.key))
    with refusing_damage(path), handle.lend() as opened:
        array, image = opened.array.array, opened.image
        names = image.names if image and image.names else _names(array)
        axes = find_axes(path, array.shape, chosen, names)
        check_chunks(path, array, axes, chosen.labels)
        stack = ArrayStack(path, axes, array.dtype, image.voxel_size if image else None, handle)
        stack.place = image.place if image else None
        return stack


class _OpenZarr:
    """An open Zarr hierarchy, the `array` in it that `key` means, and what OME-Zarr says of it, if anything."""

    def __init__(self, path: Path, key: str | None) -> None:
        self._store = ZipStore(path, mode="r") if path.is_file() else LocalStore(path, read_only=True)
        try:
            array, self.image = _find(path, self._store, (key or "").strip("/"))
            self.array = _FewAtOnce(array)
        except BaseException:
            self._store.close()
            raise

    def close(self) -> None:
        self._store.close()


class _FewAtOnce:
    """An array that is read in bounded memory however large its chunks are: zarr decodes ten side by side."""

    def __init__(self, array: zarr.Array) -> None:
        self.array = array
        chunk_bytes = math.prod(array.shards or array.chunks) * array.dtype.itemsize
        self._at_once = min(max(_BYTES_AT_ONCE // max(chunk_bytes, 1), 1), zarr.config.get("async.concurrency"))

    def __getitem__(self, part: tuple[int | slice, ...]) -> Any:
        with zarr.config.set({"async.concurrency": self._at_once}):
            return self.array[part]


def _find(path: Path, store: LocalStore | ZipStore, key: str) -> tuple[zarr.Array, Pyramid | None]:
    root = _root(path, store)
    if isinstance(root, zarr.Array):
        if key:
            raise BadInput(f"{path}: is a single array and has no {key}; leave --stack_key away.")
        return root, None
    found = root.get(key) if key else root
    if found is None:
        raise BadInput(f"{path}: has no array {key}; {listed(_arrays(root))}.")
    if isinstance(found, zarr.Array):
        parent, _, name = key.rpartition("/")
        group = root[parent] if parent else root
        image = pyramid(dict(group.attrs))
        if image is None or image.path == name:
            return found, image
        return found, Pyramid(name, image.names, None)
    return _in_group(path, found)


def _root(path: Path, store: LocalStore | ZipStore) -> zarr.Array | zarr.Group:
    try:
        # Consolidated metadata may name arrays that are gone.
        return zarr.open(store, mode="r", use_consolidated=False)
    except zarr.errors.NodeNotFoundError:
        raise BadInput(
            f"{path}: holds no Zarr metadata ({', '.join(_MARKERS)}), half-written perhaps; "
            "copy or write it anew, or give the folder that holds it."
        ) from None


def _in_group(path: Path, group: zarr.Group) -> tuple[zarr.Array, Pyramid | None]:
    image = pyramid(dict(group.attrs))
    found = group.get(image.path) if image else None
    if isinstance(found, zarr.Array):
        return found, image
    arrays = _arrays(group)
    if image is not None:
        others = f", or {listed(arrays)}" if arrays else ""
        raise BadInput(f"{path}: its level 0, the array {image.path}, is missing; copy or write it anew{others}.")
    if len(arrays) != 1:
        prefix = f"{group.path} in it " if group.path else ""
        raise BadInput(f"{path}: {prefix}holds {len(arrays) or 'no'} arrays where one is wanted; {listed(arrays)}.")
    return cast(zarr.Array, group[next(iter(arrays)).removeprefix(f"{group.path}/")]), None


def _arrays(group: zarr.Group) -> dict[str, tuple[int, ...]]:
    """All arrays below a group, by their path from the root."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about folders in between that are no part of the hierarchy
        return {item.path: item.shape for _, item in group.members(max_depth=None) if isinstance(item, zarr.Array)}


def _names(array: zarr.Array) -> list[str] | None:
    """Names of the axes: those of version 3, or those that xarray writes into version 2."""
    names: Any = getattr(array.metadata, "dimension_names", None) or array.attrs.get("_ARRAY_DIMENSIONS")
    return [str(name) for name in names] if names and all(names) else None

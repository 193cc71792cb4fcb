"""Zarr, versions 2 and 3: an array, a group with one, or OME-Zarr, in a .zarr folder or one file (.zarr.zip, .zip, .ozx)."""

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numcodecs.errors
import zarr
import zarr.errors

from custom.base.errors import BadInput
from custom.stack.angles import angle_among
from custom.stack.arrays import ArrayStack
from custom.stack.axes import find_axes
from custom.stack.faults import refusing_damage
from custom.stack.format import Format
from custom.stack.grain import grain_of_chunks
from custom.stack.handle import Handle
from custom.stack.selection import Selection
from custom.stack.stack import Stack
from custom.stack.warn import warn_once
from custom.stack.zarr_chunks import check_chunks, read_as_a_whole
from custom.stack.zarr_finding import find_array
from custom.stack.zarr_projections import tell_projections
from custom.stack.zarr_store import MARKERS, ZIPS, open_store, root_of, top_folder

_BYTES_AT_ONCE = 1 << 26


def is_zarr(folder: Path) -> bool:
    """Whether a folder is meant as Zarr: by its suffix or by the metadata in it."""
    return folder.suffix.lower() == ".zarr" or any((folder / name).is_file() for name in MARKERS)


def open_zarr(path: Path, chosen: Selection) -> Stack:
    """Open an array of a Zarr hierarchy, by default level 0 of the only OME-Zarr image or the only array of a group.

    The axes are those of OME-Zarr, else the dimension names of the array, else ..., z, y, x. The voxel size is known where
    OME-Zarr states a scale and a unit; that of a coarser level, opened by its key, is not, as writers often get it wrong.

    Raises:
        BadInput: no metadata, or damaged; projections; no array or image, or several and none named; a missing level 0; half-written (see
            `zarr_chunks`); not of plain numbers, or not one volume.
    """
    if re.search(r"\.part-\w+$", path.name):
        raise BadInput(f"{path}: is the unfinished part of a result; run the segmentation that writes it to its end.")
    if path.is_file() and path.suffix.lower() not in ZIPS:
        raise BadInput(f"{path}: is a file where a .zarr folder is wanted; copy the whole folder from its source.")
    handle = Handle(partial(_OpenZarr, path, chosen.key))
    with refusing_damage(path), _naming_codecs(path), handle.lend() as opened:
        array, image = opened.array.array, opened.image
        names = image.names if image and image.names else _names(array)
        _check_names(path, array, names or [], chosen)
        if image is None and not chosen.labels:
            tell_projections(path, opened.root, array)
        axes = find_axes(path, array.shape, chosen, names)
        check_chunks(path, array, axes, chosen.labels)
        stack = ArrayStack(path, axes, array.dtype, image.voxel_size if image else None, handle)
        stack.place = image.place if image else None
        stack.grain = grain_of_chunks(axes, read_as_a_whole(array))
        return stack


class _OpenZarr:
    """An open Zarr hierarchy, the `array` in it that `key` means, and what OME-Zarr says of it, if anything."""

    def __init__(self, path: Path, key: str | None) -> None:
        top = top_folder(path)
        self._store = open_store(path)
        try:
            self.root = root_of(path, self._store, top)
            array, self.image = find_array(path, self.root, (key or "").strip("/"))
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


@contextmanager
def _naming_codecs(path: Path) -> Iterator[None]:
    """Refuse an array of a codec that is not installed as what it is, and not as damaged."""
    try:
        yield
    except (numcodecs.errors.UnknownCodecError, zarr.errors.UnknownCodecError) as error:
        name = str(error).rpartition(":")[2].strip(" '\"")
        raise BadInput(
            f"{path}: is compressed with {name}, which is not installed; pip install the package that brings it, such as "
            "imagecodecs or numcodecs with its extras, or store it anew with another codec."
        ) from error


def _check_names(path: Path, array: zarr.Array, names: list[str], chosen: Selection) -> None:
    """Projections, as xarray writes them, say so in the name of an axis."""
    angle = angle_among(names)
    if angle is None or array.ndim < 3:
        return
    if chosen.key is None:
        cure = f"give --stack_key {array.path}" if array.path else "write it without that name"
        raise BadInput(
            f"{path}: holds projections, an axis is called {angle}; reconstruct them first, or {cure} if not."
        )
    warn_once(f"{path}: an axis is called {angle}, as in projections; it is taken because its key was given.")


def _names(array: zarr.Array) -> list[str] | None:
    """Names of the axes: those of version 3, or those that xarray writes into version 2."""
    names: Any = getattr(array.metadata, "dimension_names", None) or array.attrs.get("_ARRAY_DIMENSIONS")
    return [str(name) for name in names] if names and all(names) else None


FORMAT = Format(
    "Zarr",
    (".zarr", ".zarr.zip", ".zip", ".ozx"),
    open_zarr,
    keyed=True,
    shared=(".zip",),
    owns_folder=is_zarr,
)

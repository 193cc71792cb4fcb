"""HDF5 (.h5, .hdf5, .hdf, .nxs): one dataset of numbers, /exchange/data unless another is named."""

import re
from functools import partial
from pathlib import Path

import h5py
import numpy as np

from custom.errors import BadInput
from custom.stack.arrays import ArrayStack
from custom.stack.axes import find_axes
from custom.stack.faults import refusing_damage
from custom.stack.handle import Handle
from custom.stack.listing import listed
from custom.stack.selection import Selection
from custom.stack.stack import Stack
from custom.stack.units import VoxelSize, first_stated, stated_voxel_size
from custom.stack.warn import warn_once

_USUAL_KEY = "/exchange/data"  # Data Exchange, as TomoPy and tomocupy write it


def open_hdf5(path: Path, chosen: Selection) -> Stack:
    """Open a dataset of an HDF5 file.

    Its axes are named by `axistags` (ilastik, vigra) or dimension labels, else they are ..., z, y, x. The voxel size is
    that of an attribute `element_size_um` (z, y, x) of the dataset or its group, as ilastik's and ImageJ's plugins for
    HDF5 have it, else unknown: HDF5 itself and Data Exchange state none for a reconstruction.

    Raises:
        BadInput: damaged or cut short; no such dataset, or one without voxels, with a missing source file, with a
            filter that is not installed, not of plain numbers, or not one volume.
    """
    handle = Handle(partial(_OpenDataset, path, chosen.key or _USUAL_KEY))
    with refusing_damage(path), handle.lend() as opened:
        dataset = opened.array
        _check_written(path, dataset)
        axes = find_axes(path, dataset.shape, chosen, _names(path, dataset))
        stack = ArrayStack(path, axes, dataset.dtype, _voxel_size(dataset), handle)
        stack.files += [path.parent / name for name in _sources(dataset)]
        return stack


class _OpenDataset:
    """An open HDF5 file and its dataset `key`."""

    def __init__(self, path: Path, key: str) -> None:
        self._file = h5py.File(path, "r")
        try:
            self.array = _dataset(path, self._file, key)
        except BaseException:
            self._file.close()
            raise

    def close(self) -> None:
        self._file.close()


def _dataset(path: Path, file: h5py.File, key: str) -> h5py.Dataset:
    found = file.get(key)
    if isinstance(found, h5py.Dataset):
        return found
    arrays: dict[str, tuple[int, ...]] = {}

    def add(name: str, item: h5py.Group | h5py.Dataset) -> None:
        if isinstance(item, h5py.Dataset) and item.shape is not None and item.dtype.kind in "biuf":
            arrays[f"/{name}"] = item.shape

    file.visititems(add)
    raise BadInput(f"{path}: has no dataset {key}; {listed(arrays)}.")


def _check_written(path: Path, dataset: h5py.Dataset) -> None:
    """HDF5 answers with the fill value, and without an error, where nothing was ever written.

    Raises:
        BadInput: nothing was written at all, or it lies in a file that is missing, or behind a filter that is.
    """
    if dataset.is_virtual:
        missing = [name for name in _sources(dataset) if not (path.parent / name).exists()]
        if missing:
            raise BadInput(
                f"{path}: takes its voxels from {missing[0]}, which is missing; put it back beside the file."
            )
        return
    filters = dataset.id.get_create_plist()
    for number in range(filters.get_nfilters()):
        code, _, _, name = filters.get_filter(number)
        if not h5py.h5z.filter_avail(code):
            raise BadInput(
                f"{path}: is compressed with the HDF5 filter {code} ({name.decode(errors='replace') or 'unnamed'}), "
                "which is not installed; rewrite it with gzip, for instance by h5repack -f GZIP=4."
            )
    if dataset.size and not dataset.id.get_storage_size():
        raise BadInput(f"{path}: its dataset {dataset.name} was never written, half-written perhaps; write it anew.")
    if dataset.chunks is not None:
        grid = [-(-length // chunk) for length, chunk in zip(dataset.shape, dataset.chunks, strict=True)]
        there, all_of_them = dataset.id.get_num_chunks(), int(np.prod(grid))
        if there < all_of_them:
            warn_once(
                f"{path}: {all_of_them - there} of {all_of_them} chunks of {dataset.name} were never written and are "
                f"read as {dataset.fillvalue}; write it anew if nothing was left out on purpose."
            )


def _sources(dataset: h5py.Dataset) -> list[str]:
    """Names of the other files that a virtual dataset takes its voxels from, without patterns (%b) for many."""
    if not dataset.is_virtual:
        return []
    named = {source.file_name for source in dataset.virtual_sources()}
    return sorted(name for name in named if name != "." and "%" not in name)


def _names(path: Path, dataset: h5py.Dataset) -> list[str] | None:
    """Names of the axes, or None where there are none.

    Data Exchange names them in an attribute `axes` too, but writers leave its default there, theta:y:x, for a
    reconstruction as well: that is a warning, not a name.
    """
    tags = _text(dataset.attrs.get("axistags", ""))
    if tagged := re.findall(r'"key"\s*:\s*"(\w+)"', tags):
        return tagged
    if "theta" in _text(dataset.attrs.get("axes", "")):
        warn_once(
            f"{path}: the first axis of {dataset.name} is called theta, as in projections, and is taken for z; check "
            "that this is a reconstruction, or name another dataset with --stack_key."
        )
    labels = [dimension.label for dimension in dataset.dims]
    return labels if all(labels) else None


def _text(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _voxel_size(dataset: h5py.Dataset) -> VoxelSize | None:
    def stated(item: h5py.HLObject) -> VoxelSize | None:
        sizes = [float(size) for size in np.ravel(item.attrs.get("element_size_um", []))]
        return stated_voxel_size(sizes, "um", f"HDF5 attribute element_size_um of {item.name}")

    return first_stated(stated(dataset), stated(dataset.parent))

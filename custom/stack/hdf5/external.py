"""HDF5 datasets whose voxels lie in raw files beside the HDF5 file."""

import os
from pathlib import Path

import h5py

from custom.base.errors import BadInput


def external_files(dataset: h5py.Dataset) -> list[Path]:
    """The raw files, where HDF5 looks for them: a relative name counts from its prefix, or from the working directory."""
    prefix = os.fsdecode(dataset.id.get_access_plist().get_efile_prefix())
    return [Path(prefix, name) for name, _, _ in dataset.external or ()]


def open_with_files(group: h5py.Group, name: str) -> h5py.Dataset:
    """The dataset `name`, opened so that HDF5 looks for its raw files beside the file if they are not where it looks first.

    HDF5 keeps the place that a dataset was opened with for as long as it is open.
    """
    dataset = group[name]
    if dataset.is_virtual or all(file.exists() for file in external_files(dataset)):
        return dataset
    owner, own_name = dataset.file, dataset.name
    del dataset
    access = h5py.h5p.create(h5py.h5p.DATASET_ACCESS)
    access.set_efile_prefix(b"${ORIGIN}")
    return h5py.Dataset(h5py.h5d.open(owner.id, own_name.encode(), access))


def check_external(path: object, dataset: h5py.Dataset) -> None:
    """HDF5 reads zeros, and without an error, where a raw file ends too soon.

    Raises:
        BadInput: a raw file is missing or cut short.
    """
    left = dataset.size * dataset.dtype.itemsize
    for file, (name, offset, size) in zip(external_files(dataset), dataset.external or (), strict=True):
        if not file.exists():
            raise BadInput(
                f"{path}: takes its voxels from {name}, which is missing; put it back beside the file, or set "
                "HDF5_EXTFILE_PREFIX to the folder that holds it."
            )
        needed = min(left, size)
        there = max(file.stat().st_size - offset, 0)
        if there < needed:
            raise BadInput(
                f"{path}: takes its voxels from {name}, which is cut short, {offset + needed} bytes are wanted and "
                f"{offset + there} are there; copy it again from its source."
            )
        left -= needed

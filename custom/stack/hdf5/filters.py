"""Compression filters of HDF5 that do not come with it."""

import importlib
from contextlib import suppress

import h5py

from custom.base.errors import BadInput


def take_installed() -> bool:
    """Make the filters of the package hdf5plugin known to HDF5, if it is installed: to be there is not enough.

    Returns:
        Whether it is installed.
    """
    with suppress(ImportError):
        importlib.import_module("hdf5plugin")
        return True
    return False


def check_filters(path: object, dataset: h5py.Dataset) -> None:
    """Refuse a dataset that a missing filter hides.

    Args:
        path: the file that was asked for, for the refusal; the dataset may be in another one.

    Raises:
        BadInput: the filter is missing.
    """
    properties = dataset.id.get_create_plist()
    for number in range(properties.get_nfilters()):
        code, _, _, name = properties.get_filter(number)
        if h5py.h5z.filter_avail(code):
            continue
        taken = take_installed()
        if not h5py.h5z.filter_avail(code):
            where = (
                "is"
                if str(path) == dataset.file.filename
                else f"takes its voxels from {dataset.file.filename}, which is"
            )
            cure = "" if taken else "pip install hdf5plugin, or "
            raise BadInput(
                f"{path}: {where} compressed with the HDF5 filter {code} ({name.decode(errors='replace') or 'unnamed'}), "
                f"which is not installed; {cure}set HDF5_PLUGIN_PATH to the folder that holds it, and give the command again."
            )

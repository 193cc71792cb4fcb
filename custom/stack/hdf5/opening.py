"""Opening one dataset of an HDF5 file as a stack."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import h5py

from custom.stack.arrays import ArrayStack
from custom.stack.axes import find_axes
from custom.stack.faults import refusing_damage
from custom.stack.handle import Handle
from custom.stack.hdf5.chunks import grain_of_dataset
from custom.stack.hdf5.external import open_with_files
from custom.stack.hdf5.family import members, open_file
from custom.stack.hdf5.filters import take_installed
from custom.stack.hdf5.finding import Raw, find_dataset, item
from custom.stack.hdf5.naming import axis_names
from custom.stack.hdf5.projections import are_projections, check_reconstructed
from custom.stack.hdf5.voxel_size import voxel_size
from custom.stack.hdf5.written import check_gaps, look_for_voxels
from custom.stack.selection import Selection
from custom.stack.stack import Stack


def open_hdf5(path: Path, chosen: Selection) -> Stack:
    """Open a dataset of an HDF5 file: the one that `chosen` names, else /exchange/data, else NeXus' default plot.

    Its axes are as `axis_names` finds them, else ..., z, y, x; `voxel_size` says where the voxel size is looked for.

    Raises:
        BadInput: damaged or cut short; no such dataset, a broken link, projections, or a dataset without voxels, with some
            that are missing, with a filter that is not installed, not of plain numbers, or not one volume.
    """
    handle = Handle(partial(_OpenDataset, path, chosen.key, None if chosen.labels else are_projections))
    with refusing_damage(path), handle.lend() as opened:
        dataset, name = opened.array, opened.name
        group = item(opened.file, name.rpartition("/")[0] or "/")
        if not chosen.labels:
            check_reconstructed(path, opened.file, name, dataset, chosen.key is not None)
        coverage, files = look_for_voxels(path, dataset)
        axes = find_axes(path, dataset.shape, chosen, axis_names(path, dataset, group))
        stack = ArrayStack(path, axes, dataset.dtype, voxel_size(path, dataset, group), handle)
        stack.grain = grain_of_dataset(dataset, axes, coverage)
        check_gaps(path, dataset, coverage, axes, chosen.labels)
        # a link may lead to another file
        parts = members(path) or [path, Path(dataset.file.filename)]
        stack.files = list(dict.fromkeys([*parts, *files]))
        return stack


class _OpenDataset:
    """An open HDF5 file, its dataset `array` that `key` means, and the path `name` of that."""

    def __init__(self, path: Path, key: str | None, raw: Raw | None) -> None:
        self.file = open_file(path)
        try:
            self.name = find_dataset(path, self.file, key, raw)
            self.array = open_with_files(self.file, self.name)
            if _may_need_filters(self.array):
                take_installed()
        except BaseException:
            self.file.close()
            raise

    def close(self) -> None:
        self.file.close()


def _may_need_filters(dataset: h5py.Dataset) -> bool:
    """Whether there are filters that HDF5 lacks; those of a virtual dataset's sources are not looked for."""
    properties = dataset.id.get_create_plist()
    codes = [properties.get_filter(number)[0] for number in range(properties.get_nfilters())]
    return dataset.is_virtual or not all(map(h5py.h5z.filter_avail, codes))

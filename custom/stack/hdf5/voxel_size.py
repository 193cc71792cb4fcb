"""The voxel size that an HDF5 file states for a dataset."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np

from custom.stack.hdf5.finding import item, text
from custom.stack.units import VoxelSize, first_stated, stated_voxel_size
from custom.stack.warn import warn_once

# where nabu and tomoscan put what they know of a volume, from a group above its data
_ESRF = "configuration/processing_options/reconstruction"
_NAMES = re.compile(r"(?:voxel|pixel|element)_size(?:_(nm|um|mm|cm|m))?")


def voxel_size(path: Path, dataset: h5py.Dataset, group: h5py.Group) -> VoxelSize | None:
    """From an attribute `element_size_um` (z, y, x) of the dataset or its group, as ilastik's and ImageJ's plugins have it.

    Else from a dataset such as `voxel_size_cm` beside it, or where nabu and tomoscan write it; an attribute `units` of it
    goes before the unit in its name. Programs differ in the order of that one, so that it counts only for cubes.

    Args:
        path: of the file, for the warning.
        dataset: in it.
        group: the one that it was found in, which a link may lead out of.
    """
    own = item(dataset.file, str(dataset.name).rpartition("/")[0] or "/")
    groups = [place for place in (own, group) if isinstance(place, h5py.Group)]
    places = {place.name: place for place in (dataset, *groups)}
    stated = [_of_attribute(place) for place in places.values()]
    return first_stated(*stated, *(_of_dataset(path, found) for found in _beside(*groups)))


def _of_attribute(place: h5py.HLObject) -> VoxelSize | None:
    sizes = [float(size) for size in np.ravel(place.attrs.get("element_size_um", []))]
    return stated_voxel_size(sizes, "um", f"HDF5 attribute element_size_um of {place.name}")


def _beside(*groups: h5py.Group) -> list[h5py.Dataset]:
    """Datasets that state a voxel size, those of the group first, then those of nabu above it."""
    found: dict[str, h5py.Dataset] = {}
    for group in groups:
        places = [group]
        while group.name not in (None, "/"):
            group = group.parent
            places.append(item(group, _ESRF))
        for place in (place for place in places if isinstance(place, h5py.Group)):
            for name in filter(_NAMES.fullmatch, place):
                size = item(place, name)
                if isinstance(size, h5py.Dataset) and size.dtype.kind in "iuf" and size.size in (1, 3):
                    found[size.name] = size
    return list(found.values())


def _of_dataset(path: Path, stated: h5py.Dataset) -> VoxelSize | None:
    named = _NAMES.fullmatch(stated.name.rpartition("/")[2])
    unit = text(stated.attrs.get("units", stated.attrs.get("unit", ""))) or (named.group(1) if named else None)
    sizes = [float(size) for size in np.ravel(stated[()])]
    if not all(0 <= size < np.inf for size in sizes):
        warn_once(
            f"{path}: {stated.name} states the voxel size {' x '.join(f'{size:.6g}' for size in sizes)}, which is none; give it "
            "as --voxel_size_um."
        )
        return None
    if not np.allclose(sizes, sizes[0], rtol=1e-4, atol=0):
        warn_once(
            f"{path}: {stated.name} states the voxel size {' x '.join(f'{size:.6g}' for size in sizes)} {unit}, which "
            'programs read in different orders; give it as --voxel_size_um "[z,y,x]".'
        )
        return None
    found = stated_voxel_size([sizes[0]] * 3, unit, f"HDF5 dataset {stated.name}")
    edge = float(f"{found.um[0]:.7g}") if found else 0.0  # cm, m and float32 leave a rest of rounding in um
    return found and replace(found, um=(edge, edge, edge))

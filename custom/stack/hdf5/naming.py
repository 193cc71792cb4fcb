"""What the axes of an HDF5 dataset are called, where the file says so."""

from __future__ import annotations

import re
from pathlib import Path

import h5py
import numpy as np

from custom.stack.hdf5.finding import text
from custom.stack.warn import warn_once

ANGLES = {"theta", "angle", "angles", "rotation_angle", "rotation_angles", "omega"}


def axis_names(path: Path, dataset: h5py.Dataset, group: h5py.Group) -> list[str] | None:
    """Names of the axes, the slowest first, or None where they are not stated.

    They are those of `axistags` (ilastik, vigra), of the attribute `axes` of a NeXus group or of the dataset ("x:y:z"),
    dimension labels, or attached scales (netCDF).

    Data Exchange's writers leave its default there, theta:y:x, for a reconstruction as well: that is a warning, not a name.

    Args:
        path: of the file, for the warning.
        dataset: in it.
        group: the one that it was found in, which a link may lead out of.
    """
    tags = text(dataset.attrs.get("axistags", ""))
    if tagged := re.findall(r'"key"\s*:\s*"(\w+)"', tags):
        return tagged
    own = _listed(dataset.attrs.get("axes"))
    if own and own[0].lower() in ANGLES:
        warn_once(
            f"{path}: the first axis of {dataset.name} is called {own[0]}, as in projections, and is taken for z; check "
            "that this is a reconstruction, or name another dataset with --stack_key."
        )
        own = []
    labels = [dimension.label for dimension in dataset.dims]
    scales = [_scale(dimension) for dimension in dataset.dims]
    stated = (nexus_axes(dataset, group), own, labels, scales)
    return next((names for names in stated if len(names) == dataset.ndim and all(names)), None)


def nexus_axes(dataset: h5py.Dataset, group: h5py.Group) -> list[str]:
    """What the group says of the axes of its signal, empty where it says nothing."""
    names = _listed(group.attrs.get("axes"))
    return names if len(names) == dataset.ndim else []


def _listed(value: object) -> list[str]:
    """The words of an attribute: an array of them, or one text that separates them by colons, commas or spaces."""
    words = [text(word) for word in np.ravel(np.asarray(value, dtype=object))] if value is not None else []
    return re.findall(r"[^\s:,\[\]]+", words[0]) if len(words) == 1 else words


def _scale(dimension: h5py.Dataset) -> str:
    names = [str(dimension[number].name).rpartition("/")[2] for number in range(len(dimension))]
    return names[0] if names else ""

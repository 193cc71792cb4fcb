"""What the axes of an HDF5 dataset are called, where the file says so."""

from __future__ import annotations

import re
from pathlib import Path

import h5py
import numpy as np

from custom.stack.angles import ANGLES
from custom.stack.hdf5.finding import text
from custom.stack.warn import warn_once


def axis_names(path: Path, dataset: h5py.Dataset, group: h5py.Group) -> list[str] | None:
    """Names of the axes, the slowest first, or None where they are not stated.

    They are those of `axistags` (ilastik, vigra), of the attribute `axes` of a NeXus group or of the dataset ("x:y:z"),
    dimension labels, or attached scales (netCDF). Another order in longer names, such as voxel_x, is a warning.

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
    stated = (nexus_axes(dataset, group), own, *_dimensions(dataset))
    names = next((names for names in stated if len(names) == dataset.ndim and all(names)), None)
    _tell_another_order(path, dataset, names or [])
    return names


def stated_axes(dataset: h5py.Dataset) -> list[str]:
    """What the dataset itself calls its axes, without a first one of its attribute `axes`, which writers leave at theta."""
    return [*_listed(dataset.attrs.get("axes"))[1:], *(name for names in _dimensions(dataset) for name in names)]


def _dimensions(dataset: h5py.Dataset) -> tuple[list[str], list[str]]:
    """Dimension labels, and names of attached scales."""
    return [dimension.label for dimension in dataset.dims], [_scale(dimension) for dimension in dataset.dims]


def _tell_another_order(path: Path, dataset: h5py.Dataset, names: list[str]) -> None:
    """Names such as voxel_x are not taken by their letter: which of them is the rotation's axis differs between programs."""
    known = [(place, name.lower()) for place, name in enumerate(names) if name.lower() in ("x", "y", "z")]
    if len(names) == 3 and 0 < len(known) < 3 and any("zyx"[place] != name for place, name in known):
        warn_once(
            f"{path}: the axes of {dataset.name} are called {', '.join(names)} and are read as z, y, x in this order; give "
            "--stack_axes if another one is meant."
        )
    letters = "".join(name.lower().replace("-", "_").rpartition("_")[2] for name in names)
    if sorted(letters) == ["x", "y", "z"] and letters != "zyx" and any(len(name) > 1 for name in names):
        warn_once(
            f"{path}: the axes of {dataset.name} are called {', '.join(names)} and are read as z, y, x in this order; give "
            f"--stack_axes {letters} if they are meant as their letters say."
        )


def nexus_axes(dataset: h5py.Dataset, group: h5py.Group) -> list[str]:
    """What the group says of the axes of its signal, empty where it says nothing."""
    names = _listed(group.attrs.get("axes")) or _by_index(dataset, group)
    return names if len(names) == dataset.ndim else []


def _by_index(dataset: h5py.Dataset, group: h5py.Group) -> list[str]:
    """The axes of a group that only says of each, as x_indices, which one of its signal it is."""
    found = {}
    for name, value in group.attrs.items():
        if name.endswith("_indices") and np.size(value) == 1 and np.asarray(value).dtype.kind in "iu":
            found[int(np.ravel(value)[0])] = name.removesuffix("_indices")
    return [found[axis] for axis in range(dataset.ndim)] if sorted(found) == list(range(dataset.ndim)) else []


def _listed(value: object) -> list[str]:
    """The words of an attribute: an array of them, or one text that separates them by colons, commas or spaces."""
    words = [text(word) for word in np.ravel(np.asarray(value, dtype=object))] if value is not None else []
    return re.findall(r"[^\s:,\[\]]+", words[0]) if len(words) == 1 else words


def _scale(dimension: h5py.Dataset) -> str:
    names = [str(dimension[number].name).rpartition("/")[2] for number in range(len(dimension))]
    return names[0] if names else ""

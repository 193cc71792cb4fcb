"""Where HDF5 finds the files that a virtual dataset takes its voxels from."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path

import h5py

_MOST_AHEAD = 1000  # numbers of a pattern that are looked for behind the last one that is meant


def find_sources(dataset: h5py.Dataset, names: Iterable[str]) -> dict[str, Path | None]:
    """The files that a virtual dataset means by names, or None where there is none, in the order that HDF5 looks.

    The prefix is HDF5_VDS_PREFIX.
    """
    own = os.path.abspath(dataset.file.filename)
    folders = folders_of(own, dataset.id.get_access_plist().get_virtual_prefix())
    return {name: Path(own) if name == "." else find_file(name, folders) for name in dict.fromkeys(names)}


def folders_of(own: str, prefix: bytes) -> list[str]:
    """Where HDF5 looks for what the file `own` names: below a prefix, beside it, in the working directory, and beside what
    it is a symbolic link to."""
    above = [folder for folder in os.fsdecode(prefix).split(":") if folder]
    return [*above, os.path.dirname(own), os.getcwd(), os.path.dirname(os.path.realpath(own))]


def find_file(name: str, folders: Sequence[str]) -> Path | None:
    """An absolute path as it stands, then its last part, or a relative path as it is, in the folders."""
    absolute = os.path.isabs(name)
    relative = os.path.basename(name) if absolute else name
    places = [name] * absolute + [os.path.join(folder, relative) for folder in folders]
    return next((Path(place) for place in places if os.path.isfile(place)), None)


def put_back(name: str, otherwise: str = "") -> str:
    """The cure for a file that is missing under the name that HDF5 looks for, which on other systems is a whole Windows path.

    Args:
        name: as the link or the mapping has it.
        otherwise: another cure, from a comma on.
    """
    if os.sep == "\\" or "\\" not in name:
        return f"put it back beside the file{otherwise}"
    last = shlex.quote(name.rpartition("\\")[2])
    return f"put it beside the file under that whole Windows path as its name, as by ln -s {last} {shlex.quote(name)}"


def unescaped(name: str) -> str:
    """A name without pattern: a doubled % stands for one."""
    return name.replace("%%", "%")


def numbered(name: str, number: int) -> str:
    """The name of one part of a pattern (%b)."""
    return "%".join(piece.replace("%b", str(number)) for piece in name.split("%%"))


def is_pattern(*names: str) -> bool:
    """Whether names stand for many, with %b for a number."""
    return any("%b" in name.replace("%%", "") for name in names)


def numbers_there(dataset: h5py.Dataset, file: str, key: str, meant: int) -> list[int]:
    """The numbers of a pattern that have a file with a dataset.

    Args:
        dataset: the virtual dataset.
        file: pattern of the files' names.
        key: pattern of the datasets' names in them.
        meant: how many there should be at least.
    """
    own = os.path.abspath(dataset.file.filename)
    folders = folders_of(own, dataset.id.get_access_plist().get_virtual_prefix())
    return [
        number
        for number in range(meant + _MOST_AHEAD)
        if _has_dataset(find_file(numbered(file, number), folders), numbered(key, number))
    ]


def _has_dataset(file: Path | None, key: str) -> bool:
    if file is None:
        return False
    with h5py.File(file, "r") as opened:
        return isinstance(opened.get(key), h5py.Dataset)


def announced_shape(dataset: h5py.Dataset) -> tuple[int, ...]:
    """The shape that a virtual dataset was made with; what HDF5 gives is the one that its sources leave of it.

    HDF5 forgets it where the shape has been asked for, in all that shares the open file, which another driver does not.
    """
    with h5py.File(dataset.file.filename, "r", driver="stdio") as opened:
        again = h5py.h5d.open(opened.id, dataset.name.encode())
        found: tuple[int, ...] = again.get_create_plist().get_virtual_vspace(0).get_simple_extent_dims()
        return found

"""The dataset that is meant in an HDF5 file, through links of any kind, else what there is to choose from."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import h5py

from custom.base.errors import BadInput
from custom.stack.hdf5.sources import find_file, folders_of, put_back
from custom.stack.listing import listed

USUAL_KEY = "/exchange/data"  # Data Exchange, as TomoPy and tomocupy write it
_MOST_OBJECTS = 20_000  # master files of a beam time link to all of its scans
_MOST_STEPS = 16  # of `default` attributes


Raw = Callable[[h5py.File, str, h5py.Dataset], bool]


def find_dataset(path: Path, file: h5py.File, key: str | None, raw: Raw | None = None) -> str:
    """The path of the dataset `key`, else /exchange/data, else what NeXus' `default` attributes lead to.

    A group stands for the dataset that its attributes `default` and `signal` name.

    Args:
        path, file: of the file.
        key: path in it, or None.
        raw: whether a dataset holds projections, which a refusal does not offer.

    Raises:
        BadInput: there is none, or only a broken link.
    """
    wanted = "/" + (key or USUAL_KEY).strip("/")
    found, name = (item(file, wanted), wanted)
    if isinstance(found, h5py.Group) or (found is None and key is None and not _is_named(file, wanted)):
        start, name = (found, wanted) if found is not None else (file, "")
        found, name = _plottable(start, name)
    if is_array(found):
        return name
    if reason := broken_link(file, wanted):
        raise BadInput(f"{path}: its {wanted} is a link to {reason}.")
    raise BadInput(f"{path}: has no dataset {wanted if key is None else key}; {_choice(file, raw)}.")


def item(group: h5py.Group, name: str) -> Any:
    """What is there under a name, or None where nothing is, or a link that is broken or goes round in a circle."""
    with suppress(KeyError, OSError, RuntimeError, ValueError):
        return group.get(name)
    return None


def is_array(found: Any) -> bool:
    """Whether it is a dataset that may be a volume, of whatever type."""
    return isinstance(found, h5py.Dataset) and found.shape is not None


def text(value: object) -> str:
    """An attribute as text; HDF5 has bytes, text, and arrays of one of them."""
    if not isinstance(value, (bytes, str)) and getattr(value, "size", 0) == 1:
        value = getattr(value, "item")()  # noqa: B009 (an array of numpy, which h5py does not tell)
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _plottable(group: h5py.Group, name: str) -> tuple[Any, str]:
    """What the attributes `default` and `signal` lead to, if that has three axes or more."""
    for _ in range(_MOST_STEPS):
        step = text(group.attrs.get("signal", "")) or text(group.attrs.get("default", ""))
        found = item(group, step) if step else None
        name = step if step.startswith("/") else f"{name}/{step}"
        if not isinstance(found, h5py.Group):
            return (found if isinstance(found, h5py.Dataset) and len(found.shape or ()) > 2 else None), name
        group = found
    return None, name


def _is_named(file: h5py.File, key: str) -> bool:
    """Whether there is a link of this name, sound or not."""
    return broken_link(file, key) is not None


def broken_link(group: h5py.Group, key: str, steps: int = _MOST_STEPS) -> str | None:
    """What the first broken link on the way to `key` says, with the cure, or None where there is none."""
    at: Any = group.file if key.startswith("/") else group
    for part in key.strip("/").split("/"):
        if not isinstance(at, h5py.Group):
            return None
        link = at.get(part, getlink=True) if part and _is_utf8(part) else None
        before, at = at, item(at, part)
        if at is None:
            return None if link is None else _target(before, link, steps)
    return None


def _is_utf8(name: str) -> bool:
    """h5py raises where a name that came from the command line is none."""
    return name == name.encode("utf-8", "replace").decode()


def _target(group: h5py.Group, link: Any, steps: int = _MOST_STEPS) -> str:
    if not steps or not isinstance(link, (h5py.ExternalLink, h5py.SoftLink)):
        return "itself in the end; name another dataset with --stack_key"
    if isinstance(link, h5py.SoftLink):
        further = broken_link(group, link.path, steps - 1)
        return further or f"{link.path}, which is not there; name another dataset with --stack_key"
    own = os.path.abspath(group.file.filename)
    there = find_file(link.filename, folders_of(own, b""))
    if there is None:
        return f"{link.path} in {link.filename}, which is missing; {put_back(link.filename)}"
    if not h5py.is_hdf5(there):
        return f"{link.path} in {link.filename}, which is not HDF5; copy it again from its source"
    try:
        with h5py.File(there, "r") as opened:
            further = broken_link(opened, link.path, steps - 1)
    except OSError:
        return f"{link.path} in {link.filename}, which is damaged or cut short; copy it again from its source"
    return further or f"{link.path} in {link.filename}, which holds no such thing; put the right file there"


def _choice(file: h5py.File, raw: Raw | None) -> str:
    projections: dict[str, tuple[int, ...]] = {}
    arrays: dict[str, tuple[int, ...]] = {}
    broken: list[str] = []
    unsayable: list[bytes] = []
    for name, found, reason in _walk(file, unsayable):
        if reason is not None:
            broken.append(f"the link {name} leads to {reason}")
        elif is_array(found) and found.dtype.kind in "biuf":
            (projections if raw is not None and raw(file, name, found) else arrays)[name] = found.shape
    if projections and not any(len(shape) >= 3 for shape in arrays.values()):
        name, shape = next(iter(projections.items()))
        return f"it holds projections, {name} {shape}; reconstruct them first, or give --stack_key {name} if this is a reconstruction"
    if unsayable:
        one = unsayable[0]
        also = f"{listed(arrays)}; or " if arrays else ""
        return f"{also}rename {one!r}, whose name is no UTF-8, with h5py.File(..., 'r+').move({one!r}, 'new_name')"
    return broken[0] if broken and not arrays else listed(arrays)


def arrays_of(file: h5py.File) -> list[str] | None:
    """The paths of all arrays of numbers with two axes or more, each array once; None where a link is broken."""
    unsayable: list[bytes] = []
    walked = list(_walk(file, unsayable))
    if unsayable or any(found is None for _, found, _ in walked):
        return None
    return [name for name, found, _ in walked if is_array(found) and found.ndim >= 2 and found.dtype.kind in "biuf"]


def _walk(file: h5py.File, unsayable: list[bytes]) -> Iterator[tuple[str, Any, str | None]]:
    """Everything that links lead to, each thing once, the shortest path first, and what broken links say.

    Args:
        file: open.
        unsayable: gets the paths that are no UTF-8, which h5py gives out as bytes and looks up by none of its methods.
    """
    waiting: deque[tuple[str, h5py.Group]] = deque([("", file)])
    seen: set[tuple[str, int]] = {_identity(file)}
    while waiting and len(seen) < _MOST_OBJECTS:
        prefix, group = waiting.popleft()
        for part in group:
            if isinstance(part, bytes):
                unsayable.append(f"{prefix}/".encode().lstrip(b"/") + part)
                continue
            name, found = f"{prefix}/{part}", item(group, part)
            if found is None:
                yield name, None, _target(group, group.get(part, getlink=True))
            elif (identity := _identity(found)) not in seen:
                seen.add(identity)
                yield name, found, None
                if isinstance(found, h5py.Group):
                    waiting.append((name, found))


def _identity(found: h5py.Group | h5py.Dataset) -> tuple[str, int]:
    """The same for the same thing, by whatever path; HDF5's own number of a file changes when it is opened again."""
    return os.path.abspath(found.file.filename), h5py.h5o.get_info(found.id).addr

"""Telling a scan's projections, raw data for a reconstruction, from a reconstruction."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import h5py

from custom.base.errors import BadInput
from custom.stack.angles import angle_among
from custom.stack.beside import Beside, tells
from custom.stack.hdf5.finding import item, text
from custom.stack.hdf5.naming import nexus_axes, stated_axes
from custom.stack.warn import warn_once

_RESULTS = re.compile(r"recon|result|process|volume", re.IGNORECASE)
_SETTINGS = re.compile(r"recon|result|volume", re.IGNORECASE)  # process/ holds those of the scan in Data Exchange
_MOST_GROUPS = 200
_NEAR, _FAR = 3, 6


def check_reconstructed(path: Path, file: h5py.File, name: str, dataset: h5py.Dataset, chosen: bool) -> None:
    """Refuse projections: what is beside them gives them away, if its size fits.

    That is a value per image (theta in Data Exchange, image_key and rotation_angle in NXtomo), flat or dark fields of the
    size of an image, or a name of an axis that stands for an angle; far away in the file, as many angles as images. A
    reconstruction that was saved beside them
    has other sizes in nearly every case, and a dataset that was asked for by its name is taken all the same.

    Args:
        path: of the file, for the refusal.
        file: open.
        name: path of the dataset in it.
        dataset: the one in question.
        chosen: whether --stack_key named it.

    Raises:
        BadInput: projections, and not `chosen`.
    """
    parts = name.strip("/").split("/")[:-1]
    if dataset.ndim < 3 or any(_RESULTS.search(part) for part in parts):
        return
    found = _evidence(file, parts, dataset)
    if not found.fitting and not (found.others and not chosen):
        return
    seen = found.says(name)
    if chosen:
        warn_once(f"{path}: {seen} and is taken for a reconstruction because its key was given.")
    elif not found.fitting:
        warn_once(f"{path}: {seen} and is taken for a reconstruction because the sizes differ; check that it is.")
    else:
        raise BadInput(
            f"{path}: holds projections, {seen.removesuffix(', as projections do,')}; reconstruct them first, or name the "
            f"reconstruction with --stack_key, --stack_key {name} if this is one."
        )


def are_projections(file: h5py.File, name: str, dataset: h5py.Dataset) -> bool:
    """Whether what lies beside a dataset says so, as in `check_reconstructed`, and its own name does not say otherwise."""
    if dataset.ndim < 3 or _RESULTS.search(name):
        return False
    return bool(_evidence(file, name.strip("/").split("/")[:-1], dataset).fitting)


def _evidence(file: h5py.File, parts: list[str], dataset: h5py.Dataset) -> Beside:
    """What lies beside a dataset, and anywhere in its file, as it does with projections."""
    groups: dict[tuple[str, str], h5py.Group] = {}
    own = (dataset.name or "").strip("/").split("/")[:-1]  # where a link leads to, in another file perhaps
    for root, steps in ((file, parts), (dataset.file, own)):
        for depth in range(len(steps), 0, -1):
            group = item(root, "/" + "/".join(steps[:depth]))
            if isinstance(group, h5py.Group):
                groups[group.file.filename, group.name] = group
    stated = [*(nexus_axes(dataset, group) for group in groups.values()), stated_axes(dataset)]
    found = Beside(dataset.shape)
    found.fitting += dict.fromkeys(f"an axis {name}" for names in stated if (name := angle_among(names)))
    for name, other in _below(groups, _NEAR, _RESULTS):
        found.look(name, other.shape)
    roots = {(root.filename, "/"): root["/"] for root in (file, dataset.file)}
    for name, other in _below(roots, _FAR, _SETTINGS):
        found.look_from_afar(name, other.shape)
    return found


def _below(
    groups: Mapping[tuple[str, str], h5py.Group], depth: int, results: re.Pattern[str]
) -> Iterator[tuple[str, h5py.Dataset]]:
    """The datasets of telling names in groups, and down to some depth below them, without results and other files' groups."""
    waiting = [(group, depth) for group in groups.values()]
    seen: set[tuple[str, str]] = set()
    while waiting and len(seen) < _MOST_GROUPS:
        group, left = waiting.pop(0)
        if (group.file.filename, group.name) in seen:
            continue
        seen.add((group.file.filename, group.name))
        for part in group:
            if tells(part):
                found = _values(item(group, part))
                if found is not None and found.shape is not None:
                    yield f"{group.name.rstrip('/')}/{part}", found
            elif left > 1 and not isinstance(group.get(part, getlink=True), h5py.ExternalLink):
                below = item(group, part)
                if isinstance(below, h5py.Group) and not _is_result(part, below, results):
                    waiting.append((below, left - 1))


def _values(found: Any) -> h5py.Dataset | None:
    """The dataset itself, or that of an NXlog, an NXpositioner or a motor's group."""
    if isinstance(found, h5py.Group):
        found = next((one for name in ("value", "data", "angle") if (one := item(found, name)) is not None), None)
    return found if isinstance(found, h5py.Dataset) else None


def _is_result(name: str, group: h5py.Group, results: re.Pattern[str]) -> bool:
    return bool(results.search(name)) or text(group.attrs.get("NX_class", "")) == "NXprocess"

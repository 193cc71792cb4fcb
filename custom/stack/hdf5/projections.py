"""Telling a scan's projections, raw data for a reconstruction, from a reconstruction."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import h5py

from custom.errors import BadInput
from custom.stack.angles import ANGLES, angle_among
from custom.stack.hdf5.finding import item, text
from custom.stack.hdf5.naming import nexus_axes, stated_axes
from custom.stack.warn import warn_once

_FLAT = re.compile(
    r"(data_)?(white|dark|flat|bright|bak|drk)s?(_?field)?s?(_?(pre|post|before|after|data|mean|avg|average|median))?",
    re.IGNORECASE,
)
_PER_FRAME = re.compile(rf"{'|'.join(sorted(ANGLES))}|\w+_angles?|\w*rot|image_key(_control)?", re.IGNORECASE)
_RESULTS = re.compile(r"recon|result|process|volume", re.IGNORECASE)
_MOST_GROUPS = 200


def check_reconstructed(path: Path, file: h5py.File, name: str, dataset: h5py.Dataset, chosen: bool) -> None:
    """Refuse projections: what is beside them gives them away, if its size fits.

    That is a value per image (theta in Data Exchange, image_key and rotation_angle in NXtomo), flat or dark fields of the
    size of an image, or a name of an axis that stands for an angle. A reconstruction that was saved beside them
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
    fitting, others = _evidence(file, parts, dataset)
    if not fitting and not (others and not chosen):
        return
    seen = f"its {name} of {'x'.join(map(str, dataset.shape))} lies beside {' and '.join((fitting or others)[:2])}"
    if chosen:
        warn_once(f"{path}: {seen}, as projections do, and is taken for a reconstruction because its key was given.")
    elif not fitting:
        warn_once(
            f"{path}: {seen}, as projections do, and is taken for a reconstruction because the sizes differ; check that it is."
        )
    else:
        raise BadInput(
            f"{path}: holds projections, {seen}; reconstruct them first, or name the reconstruction with --stack_key, "
            f"--stack_key {name} if this is one."
        )


def _evidence(file: h5py.File, parts: list[str], dataset: h5py.Dataset) -> tuple[list[str], list[str]]:
    """What lies beside a dataset as it does beside projections: what fits it in size, and what does not."""
    groups: dict[tuple[str, str], h5py.Group] = {}
    own = (dataset.name or "").strip("/").split("/")[:-1]  # where a link leads to, in another file perhaps
    for root, steps in ((file, parts), (dataset.file, own)):
        for depth in range(len(steps), 0, -1):
            group = item(root, "/" + "/".join(steps[:depth]))
            if isinstance(group, h5py.Group):
                groups[group.file.filename, group.name] = group
    stated = [*(nexus_axes(dataset, group) for group in groups.values()), stated_axes(dataset)]
    fitting = list(dict.fromkeys(f"an axis {name}" for names in stated if (name := angle_among(names))))
    others: list[str] = []
    for name, other in _below(groups):
        leaf = name.rpartition("/")[2].lower()
        size = "x".join(map(str, other.shape))
        if _PER_FRAME.fullmatch(leaf) and other.size > 1:
            (fitting if other.size == dataset.shape[0] else others).append(f"{name} of {size}")
        elif _FLAT.fullmatch(leaf) and other.ndim > 1:
            (fitting if other.shape[-2:] == dataset.shape[-2:] else others).append(f"{name} of {size}")
    return fitting, others


def _below(groups: Mapping[tuple[str, str], h5py.Group], depth: int = 3) -> Iterator[tuple[str, h5py.Dataset]]:
    """The datasets of telling names in groups, and down to some depth below them, without results and other files' groups."""
    waiting = [(group, depth) for group in groups.values()]
    seen: set[tuple[str, str]] = set()
    while waiting and len(seen) < _MOST_GROUPS:
        group, left = waiting.pop(0)
        if (group.file.filename, group.name) in seen:
            continue
        seen.add((group.file.filename, group.name))
        for part in group:
            if _tells(part):
                found = _values(item(group, part))
                if found is not None and found.shape is not None:
                    yield f"{group.name.rstrip('/')}/{part}", found
            elif left > 1 and not isinstance(group.get(part, getlink=True), h5py.ExternalLink):
                below = item(group, part)
                if isinstance(below, h5py.Group) and not _is_result(part, below):
                    waiting.append((below, left - 1))


def _values(found: Any) -> h5py.Dataset | None:
    """The dataset itself, or that of an NXlog, an NXpositioner or a motor's group."""
    if isinstance(found, h5py.Group):
        found = next((one for name in ("value", "data", "angle") if (one := item(found, name)) is not None), None)
    return found if isinstance(found, h5py.Dataset) else None


def _tells(name: str) -> bool:
    return bool(_PER_FRAME.fullmatch(name) or _FLAT.fullmatch(name))


def _is_result(name: str, group: h5py.Group) -> bool:
    return bool(_RESULTS.search(name)) or text(group.attrs.get("NX_class", "")) == "NXprocess"

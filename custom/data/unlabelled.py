"""The slices of stacks that a training learns from without labels: which there are, and what is noted of them."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from custom.base.errors import BadInput
from custom.data.digest import digest
from custom.data.labelled import voxel_sizes
from custom.data.reading import Reading
from custom.data.rest import Rest, given_rest, rest_of
from custom.data.sides import Item, Split
from custom.stack import Scaling, Source, Stack, grey_window, takes_key, warn_once

logger = logging.getLogger("data")
LIKE = 0.01  # voxel sizes that differ by less are one


@dataclass(frozen=True)
class Unlabelled:
    """What there is to learn from without labels.

    Attributes:
        items: one for each slice: ``image`` (path) with what `custom.stack.source` needs to read it, ``z``, ``size``
            (Y, X), ``grey_window`` (lower, upper) and ``surround`` (values outside the reconstruction); ``scan``, its name,
            where that is a scan of labelled slices.
        noted: for a record, of each stack ``name``, ``shape``, ``slices`` (how many are learned from) and ``digest``,
            of its first, middle and last one.
    """

    items: list[Item]
    noted: list[dict[str, Any]]


class Earlier(Protocol):
    """An earlier training, as `Trained` knows it."""

    @property
    def by_file(self) -> Sequence[tuple[str, Mapping[str, Any]]]: ...
    @property
    def resumed(self) -> bool: ...


def unlabelled_slices(
    unlabelled: str | Sequence[str] | None,
    split: Split,
    dataset_dir: str,
    scaling: Scaling,
    reading: Reading | None = None,
    trained: Earlier | None = None,
) -> Unlabelled:
    """The slices of stacks, or of what is left of the labelled ones, that lie on the training side.

    A slice that has the grey values of a labelled one is known to be that one; all other slices of its stack lie on the
    side of the nearest such slice, since neighbours look alike. Slices that are labelled are left out. Where stacks
    that were named hold nothing else, there is nothing to learn from, which is told: the training is one by labels.

    Args:
        unlabelled: a stack or several; None: of every 3-D stack with labelled training slices, and of the stack that
            `scans.json` names for a scan with some, the slices that nobody labelled.
        split: of the labelled data set.
        dataset_dir: its folder.
        scaling: its ``percentiles`` and ``fixed``, by these names. A stack's grey window is that of a segmentation, or
            that of the labelled training slices in it.
        reading: how the files of the data set are read, and those of these stacks where they have several arrays.
        trained: what a training goes on from.

    Raises:
        BadInput: no stack at all, one that cannot be read, or one whose slices are of the validation or the test side;
            a training that goes on with other stacks than it was begun with.
    """
    if unlabelled is None:
        rests = rest_of(split, dataset_dir, (reading or Reading()).label_folder)
    else:
        rests = _given([unlabelled] if isinstance(unlabelled, str) else list(unlabelled), split, reading or Reading())
    if not rests:
        raise BadInput(
            f"{dataset_dir}: has no unlabelled slices on its training side, of a 3-D stack or of one that scans.json names; give "
            "--unlabelled my_stack, or leave semi.json away"
        )
    sizes = voxel_sizes(split["train"])
    items, noted = [], []
    for rest in rests:
        stack = rest.source.open()
        _compare_voxels(stack, sizes)
        window = rest.window or grey_window(stack, **_ends(scaling))
        seen: Item = {"grey_window": (window.lower, window.upper), "surround": window.surround, "size": stack.shape[1:]}
        seen |= {} if rest.scan is None else {"scan": rest.scan}
        items += [{**rest.source.named(), **seen, "z": z} for z in rest.slices]
        noted += [_noted(stack, rest.slices)] if rest.slices else []
    _check_goes_on(noted, trained)
    names = ", ".join(f"{one['slices']} of {one['name']}" for one in noted)
    logger.info("Unlabelled slices to learn from: %s.", names or "none")
    return Unlabelled(items, noted)


def _given(paths: Sequence[str], split: Split, reading: Reading) -> list[Rest]:
    """What is to be learned from of stacks that were named."""
    if not paths:
        raise BadInput("--unlabelled []: lists no stack; give one or several, or leave --unlabelled away")
    for path in paths:
        if not Path(path).exists():
            raise BadInput(f"--unlabelled {path}: there is no such file or folder; give the path of a stack")
    sources = dict.fromkeys(_source(Path(path), reading) for path in paths)
    return [given_rest(one, split) for one in sources]


def _source(path: Path, reading: Reading) -> Source:
    """As the images of the data set are read, where the file has several arrays or channels too."""
    own = replace(reading, image_key=reading.image_key if takes_key(path) else None, image_index=None)
    (plain,) = own.sources([path], "image")
    try:
        plain.open()
    except BadInput:
        if reading.image_index is None:
            raise
        (plain,) = replace(own, image_index=reading.image_index).sources([path], "image")
    return plain


def _ends(scaling: Scaling) -> dict[str, tuple[float, float]]:
    ends = {name: scaling.get(name) for name in ("percentiles", "fixed")}
    return {name: (float(both[0]), float(both[1])) for name, both in ends.items() if both is not None}


def _compare_voxels(stack: Stack, labelled: Sequence[tuple[float, float, float] | None]) -> None:
    """Tell where a stack's voxels are of another size than all of the labelled images."""
    own, others = stack.voxel_size_um, [size for size in labelled if size is not None]
    if own is None or not others:
        return
    if not any(all(abs(a - b) <= LIKE * b for a, b in zip(own, size, strict=True)) for size in others):
        warn_once(
            f"{stack.path}: its voxels are {_in_um(own)} um (z, y, x) and those of the labelled images {_in_um(others[0])} um, so that "
            "the same things have another size in it; resample it, or leave it out of --unlabelled."
        )


def _in_um(size: Sequence[float]) -> str:
    return " x ".join(f"{edge:g}" for edge in size)


def _noted(stack: Stack, slices: Sequence[int]) -> dict[str, Any]:
    places = dict.fromkeys((slices[0], slices[len(slices) // 2], slices[-1]))
    digests = [digest(stack.read(z, z + 1)[0]) or "-" for z in places]
    return {"name": stack.path.name, "shape": list(stack.shape), "slices": len(slices), "digest": " ".join(digests)}


def _check_goes_on(noted: Sequence[Mapping[str, Any]], trained: Earlier | None) -> None:
    for file, record in trained.by_file if trained is not None and trained.resumed else ():
        before = record.get("unlabelled")
        if before is not None and list(before) != list(noted):
            names = [[one["name"] for one in every] for every in (before, noted)]
            raise BadInput(
                f"{file}: this training was begun with the unlabelled slices of {', '.join(names[0])}, and goes on with others "
                f"({', '.join(names[1])}); give the same --unlabelled, unchanged, or another --output_dir"
            )

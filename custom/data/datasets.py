"""Slices for validation, and patches drawn from them for training."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from monai.data import CacheDataset, get_track_meta, set_track_meta
from monai.transforms import Compose, RandLambdad, Randomizable
from torch.utils.data import Dataset

from custom.base.errors import BadInput
from custom.data.hold_out import numbered, scan_names
from custom.data.label_map import as_numbered
from custom.data.labelled import check_label
from custom.data.meaning import SliceCounts, warn_of_doubts
from custom.data.shares import share_centres, slices_by_class
from custom.stack import LABEL, source


def expand_slices(data: Sequence[dict[str, Any]], classes: int = 1) -> list[dict[str, Any]]:
    """One item per slice: items without ``z`` (image and label paths alone, as clients give them) become their slices.

    Slices of which no voxel is labelled are left out. A slice carries its ``stack``, so that all slices of a stack can be
    seen through one grey window, and, where there is a label, ``lithium`` and of several classes ``classes``, as those of
    `labelled_slices`.

    Args:
        data: items.
        classes: how many are looked for; labels of several are their numbers, unless an item's ``label_map`` says else.

    Raises:
        BadInput: a label that does not fit its image, see `check_label`.
    """
    items: list[dict[str, Any]] = []
    counted: dict[Path, list[SliceCounts]] = {}
    for item in data:
        if "z" in item:
            items.append(dict(item))
            continue
        if classes > 1 and LABEL in item and item.get("label_map") is None:
            item = {**item, "label_map": as_numbered(classes)}
        stack = source(item, "image").open()
        slices = [{**item, "z": z, "stack": stack} for z in range(stack.shape[0])]
        if LABEL in item:
            counted[Path(item[LABEL])] = counts = check_label(stack, source(item, LABEL).open(), classes)
            slices = [slices[z] | _held(count) for z, count in enumerate(counts) if count.labelled]
        items += slices
    warn_of_doubts(counted)
    return items


def _held(count: SliceCounts) -> dict[str, Any]:
    return {"lithium": count.lithium} | ({"classes": count.classes} if count.classes else {})


def thin(data: Sequence[dict[str, Any]], most: int) -> list[dict[str, Any]]:
    """At most `most` items, evenly spaced: enough to follow a training without validating on every slice.

    Where lithium, or one of several classes, is so rare that none of these holds any, the slice that holds most takes the
    place of the nearest one.
    """
    if len(data) <= most:
        return list(data)
    picks = np.linspace(0, len(data) - 1, most).round().astype(int)
    held = np.array([item.get("classes") or (item.get("lithium", 0),) for item in data])
    for of_class in held.T:
        if of_class.any() and not of_class[picks].any():
            richest = int(of_class.argmax())
            # among places whose class is in another one too, if there are any
            spare = [k for k in range(most) if not _loses(held[picks], k)] or list(range(most))
            nearest = min(spare, key=lambda k: abs(int(picks[k]) - richest))
            picks[nearest] = richest
    return [data[i] for i in picks]


def _loses(held: np.ndarray, place: int) -> bool:
    """Whether a class is in this row alone."""
    return bool((held[place].astype(bool) & ~np.delete(held, place, axis=0).any(axis=0)).any())


class SliceDataset(CacheDataset):
    """Labelled slices through a transform whose deterministic head is run once and kept in memory.

    Args:
        data: items of `labelled_slices`, or image/label path dicts, which are expanded to their slices.
        transform: a MONAI `Compose`.
        cache_rate: share of the slices kept in memory, in [0, 1]; lower it where the labelled slices do not fit.
        classes: how many are looked for.
    """

    def __init__(
        self, data: Sequence[dict[str, Any]], transform: Compose, cache_rate: float = 1.0, classes: int = 1
    ) -> None:
        self.given = data
        super().__init__(
            expand_slices(data, classes), transform, cache_rate=cache_rate, progress=False, copy_cache=False
        )


class PatchDataset(Dataset[Any]):
    """A fixed number of random patches per epoch, the same ones for a given (seed, epoch, index).

    Every patch draws from a random state of its own, so that neither the number of workers or ranks nor a restart in
    between changes what an epoch consists of. Every second patch comes from a slice that holds lithium, however rare
    such slices are; of several classes each has an equal share of these. Where in the slice it lies is for the transform to
    draw. What that gives has beside it ``scan``, the number of the scan that it was cut from.

    Args:
        data, transform, cache_rate, classes: as for `SliceDataset`; the transform ends in random ones, and stays as it is.
        patches_per_epoch: length of the data set.
        seed: fixes the draws.

    Raises:
        BadInput: no slice has a labelled voxel.
    """

    def __init__(
        self,
        data: Sequence[dict[str, Any]],
        transform: Compose,
        patches_per_epoch: int,
        seed: int = 0,
        cache_rate: float = 1.0,
        classes: int = 1,
    ) -> None:
        self.transform = copy.deepcopy(transform) if classes > 1 else transform  # whose crop gets this set's shares
        with _without_meta(self.transform):
            self.slices = SliceDataset(data, self.transform, cache_rate, classes)
        if not len(self.slices):
            raise BadInput("The slices to train on hold no labelled voxel (all are 255); label some with 0 and 1.")
        self.given = data
        self.patches_per_epoch = patches_per_epoch
        self.seed = seed
        self.every = np.arange(len(self.slices))
        self.scans = numbered(scan_names(self.slices.data))
        if classes > 1:
            share_centres(self.transform, self.slices.data, classes)
        self.rich = slices_by_class(self.slices.data) or [self.every]
        self.set_epoch(1)

    def set_epoch(self, epoch: int) -> None:
        """Fix what the epoch (counted from 1) consists of."""
        self.epoch = epoch
        draw = np.random.default_rng([self.seed, epoch])
        half = -(-self.patches_per_epoch // 2)
        # an epoch of fewer patches than classes leaves out other ones than the epoch before
        shares = np.roll([len(part) for part in np.array_split(np.arange(half), len(self.rich))], epoch - 1)
        rich = np.concatenate([_rounds(draw, part, share) for part, share in zip(self.rich, shares, strict=True)])
        pairs = np.stack([rich, _rounds(draw, self.every, half)], axis=1)
        # either one first: processes that take every second patch get as many of both kinds
        mixed = pairs if len(self.rich) == 1 else draw.permutation(pairs)
        self.order = draw.permuted(mixed, axis=1).ravel()

    def __len__(self) -> int:
        return self.patches_per_epoch

    def __getitem__(self, index: int) -> Any:
        state = np.random.RandomState(np.random.SeedSequence([self.seed, self.epoch, index]).generate_state(1))
        # one for all transforms: a state of its own for each takes a seventh of the time
        for part in _parts(self.transform):
            if isinstance(part, Randomizable):
                part.set_random_state(state=state)
        number = int(self.order[index])
        with _without_meta(self.transform):
            patches: Any = self.slices[number]
        scan = {"scan": self.scans[number]}
        return [patch | scan for patch in patches] if isinstance(patches, list) else patches | scan


def _parts(transform: Any) -> Sequence[Any]:
    """The transforms of a `Compose`, or the only one."""
    return transform.transforms if isinstance(transform, Compose) else [transform]


@contextmanager
def _without_meta(transform: Compose) -> Iterator[None]:
    """MONAI's record of what was done to a patch, which a training has no use for, takes a third of the time.

    RandLambdad alone cannot do without: it looks for the record of its own that is not kept (MONAI 1.6).
    """
    before = get_track_meta()
    set_track_meta(before and any(isinstance(part, RandLambdad) for part in _parts(transform)))
    try:
        yield
    finally:
        set_track_meta(before)


def _rounds(draw: np.random.Generator, choices: np.ndarray, count: int) -> np.ndarray:
    """`count` choices: every one comes up once, in random order, before any comes up again."""
    rounds = max(1, -(-count // len(choices)))
    return np.concatenate([draw.permutation(choices) for _ in range(rounds)])[:count]

"""Labelled patches, each with an unlabelled one beside it."""

from __future__ import annotations

from typing import Any

import numpy as np
from monai.transforms import Compose
from monai.transforms.traits import RandomizableTrait
from torch.utils.data import Dataset

from custom.data.datasets import PatchDataset
from custom.data.hold_out import numbered, scan_names
from custom.data.sides import Item
from custom.data.slice_pool import SlicePool
from custom.data.unlabelled import Unlabelled
from custom.data.untracked import untracked


class WithUnlabelled(Dataset[Any]):
    """A patch data set whose items also hold ``unlabelled_KEY``, for each KEY that `transform` makes of an unlabelled slice.

    Where there are no unlabelled slices they are the labelled data set's. An epoch's unlabelled patches come in equal
    parts from the slices of its `SlicePool`. As the labelled ones they depend on seed, epoch and index alone.

    Args:
        labelled: the labelled patches.
        unlabelled: the slices of the others.
        transform: takes an item with ``image`` (path) and ``label``, (Y, X) uint8, 0 all over; what becomes 255 there,
            as what lies outside a reconstruction does, is not to be learned from. Its deterministic head is run once
            for a slice and epoch.
        most_slices: in memory at once.
    """

    def __init__(
        self, labelled: PatchDataset, unlabelled: Unlabelled, transform: Compose, most_slices: int = 64
    ) -> None:
        self.labelled, self.transform = labelled, transform
        self.unlabelled = unlabelled.noted
        self.given, self.slices, self.seed = labelled.given, labelled.slices, labelled.seed
        # as MONAI's CacheDataset tells them apart
        self.random_from = transform.get_index_of_first(lambda step: isinstance(step, RandomizableTrait))
        self.pool = SlicePool(unlabelled.items, self._prepared, most_slices, self.seed)
        self.epoch = 0
        self.scans = numbered(scan_names([*self.slices.data, *unlabelled.items]))[len(self.slices) :]

    def set_epoch(self, epoch: int) -> None:
        """Fix what the epoch (counted from 1) consists of."""
        self.epoch = epoch
        self.labelled.set_epoch(epoch)
        self.pool.fill(epoch)
        draw = np.random.default_rng([self.seed, epoch, 1])
        numbers = self.pool.of_epoch(epoch)
        rounds = -(-len(self) // max(1, len(numbers)))
        self.order = np.concatenate([draw.permutation(numbers) for _ in range(rounds)])

    def __len__(self) -> int:
        return len(self.labelled)

    def __getitem__(self, index: int) -> dict[str, Any]:
        with untracked():
            return _alone(self.labelled[index]) | self._patch(index)

    def _patch(self, index: int) -> dict[str, Any]:
        if not len(self.order):
            return {}
        state = np.random.SeedSequence([self.seed, self.epoch, index, 1]).generate_state(1)[0]
        self.transform.set_random_state(seed=int(state))
        number = int(self.order[index])
        patch = _alone(self.transform(self.pool.ready[number], start=self.random_from)) | {"scan": self.scans[number]}
        return {f"unlabelled_{key}": value for key, value in patch.items()}

    def _prepared(self, item: Item) -> Any:
        blank = np.zeros(item["size"], np.uint8)
        with untracked():
            return self.transform({**item, "label": blank}, end=self.random_from)


def _alone(patches: Any) -> dict[str, Any]:
    """The one patch that MONAI's crops give in a list, as they may give several."""
    (patch,) = patches if isinstance(patches, list) else [patches]
    return dict(patch)

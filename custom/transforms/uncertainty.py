"""What comes with the mask: how far the lithium depends on the threshold, and where the members of an E-Net disagree."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform


class CountAboved(MapTransform):
    """Count the voxels at or above each threshold, before one of them makes the mask.

    Args:
        keys: probabilities, any shape; adds ``<key>_above``, an int64 tensor with one count per threshold.
        thresholds: in [0, 1].
    """

    def __init__(self, keys: KeysCollection, thresholds: Sequence[float], allow_missing_keys: bool = False) -> None:
        super().__init__(keys, allow_missing_keys)
        self.thresholds = tuple(thresholds)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        item = dict(data)
        for key in self.key_iterator(item):
            values = torch.as_tensor(item[key]).as_subclass(torch.Tensor)
            counts = torch.zeros(len(self.thresholds), dtype=torch.int64)
            for plane in values.flatten(0, -3):  # a slab's comparison would be a copy of the slab
                counts += torch.stack([torch.count_nonzero(plane >= t) for t in self.thresholds]).cpu()
            item[f"{key}_above"] = counts
        return item


class SplitDisagreementd(MapTransform):
    """Part the two channels of an E-Net that tells its members' disagreement.

    Args:
        keys: (2, ...) logits and disagreement; keeps the logits (1, ...) and adds ``uncertainty``, of the same shape.
    """

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        item = dict(data)
        for key in self.key_iterator(item):
            item[key], item["uncertainty"] = item[key][:1], item[key][1:]
        return item

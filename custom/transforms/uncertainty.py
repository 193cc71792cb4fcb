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
        keys: probabilities (C, Y, X) or (C, Z, Y, X), the first of several channels the background; adds ``<key>_above``, an
            int64 tensor (classes, thresholds) of counts.
        thresholds: in [0, 1].
    """

    def __init__(self, keys: KeysCollection, thresholds: Sequence[float], allow_missing_keys: bool = False) -> None:
        super().__init__(keys, allow_missing_keys)
        self.thresholds = tuple(thresholds)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        item = dict(data)
        for key in self.key_iterator(item):
            values = torch.as_tensor(item[key]).as_subclass(torch.Tensor)
            classes = values if len(values) == 1 else values[1:]
            counts = torch.zeros((len(classes), len(self.thresholds)), dtype=torch.int64)
            for of_class, found in zip(counts, classes, strict=True) if self.thresholds else ():
                for plane in found.reshape(-1, *found.shape[-2:]):  # a slab's comparison would be a copy of the slab
                    of_class += torch.stack([torch.count_nonzero(plane >= t) for t in self.thresholds]).cpu()
            item[f"{key}_above"] = counts
        return item


class SplitDisagreementd(MapTransform):
    """Part the channels of an E-Net that tells its members' disagreement.

    Args:
        keys: logits, then disagreement; keeps the logits and adds ``uncertainty``, (1, ...): the disagreement, or the
            largest where each class has its own.
        channels: those that are logits.
    """

    def __init__(self, keys: KeysCollection, channels: int = 1) -> None:
        super().__init__(keys)
        self.channels = channels

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        item = dict(data)
        for key in self.key_iterator(item):
            logits, disagreement = item[key][: self.channels], item[key][self.channels :]
            item[key] = logits
            item["uncertainty"] = disagreement if len(disagreement) == 1 else disagreement.amax(0, keepdim=True)
        return item

"""Where a training patch may be centred: voxels of each class and labelled background."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform


class CandidateCentresd(MapTransform):
    """List patch centres for `crop_to_patch`: lithium voxels and labelled background voxels, or those of several classes.

    MONAI's `FgBgToIndicesd` counts every value above 0 as foreground, the unlabelled 255 too, and keeps 8 bytes for each
    voxel of the slice. Here unlabelled voxels are in neither list and each list is thinned, evenly and without
    randomness, to `limit` voxels (20,000 x 8 bytes = 160 KB a slice).

    Args:
        keys: label keys, (1, Y, X) with values in {0, 1, 255}; adds ``<key>_lithium`` and ``<key>_background``, flat
            indices (int64), never empty, so that every slice can be cropped: without lithium the labelled background
            stands in for it, and the other way round; where nothing is labelled, every voxel stands in for both. A
            crop around a labelled voxel holds a labelled voxel. Of several classes it adds ``<key>_classes``, a list of
            the voxels of background and of each class, empty for a class that the slice lacks.
        limit: the most voxels in one list.
        classes: how many are looked for, the labels 1, 2, ...
    """

    def __init__(
        self, keys: KeysCollection, limit: int = 20_000, classes: int = 1, allow_missing_keys: bool = False
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.limit, self.classes = limit, classes

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        item = dict(data)
        for key in self.key_iterator(item):
            label = torch.as_tensor(item[key]).numpy(force=True).ravel()
            if self.classes > 1:
                item[f"{key}_classes"] = self._of_classes(label)
                continue
            lithium, background = np.flatnonzero(label == 1), np.flatnonzero(label == 0)
            either = next((found for found in (background, lithium) if found.size), np.arange(label.size))
            item[f"{key}_lithium"] = self._thin(lithium if lithium.size else either)
            item[f"{key}_background"] = self._thin(background if background.size else either)
        return item

    def _of_classes(self, label: np.ndarray) -> list[np.ndarray]:
        found = [self._thin(np.flatnonzero(label == value)) for value in range(1 + self.classes)]
        return found if any(map(len, found)) else [self._thin(np.arange(label.size)), *found[1:]]

    def _thin(self, indices: np.ndarray) -> np.ndarray:
        if indices.size <= self.limit:
            return indices
        return indices[np.linspace(0, indices.size - 1, self.limit).astype(np.int64)]

"""CutMix of patches and whatever belongs to their voxels."""

from __future__ import annotations

import math

import torch
from monai.transforms import CutMix


class BoxMix(CutMix):
    """MONAI's `CutMix` with an `apply` of its own: that of MONAI 1.6.1 indexes with a list, which torch is to read otherwise.

    Source: Yun et al., "CutMix", ICCV 2019.
    """

    def apply(self, data: torch.Tensor) -> torch.Tensor:
        """(B, C, Y, X) with a box of another patch in each: its sides are sqrt(1 - weight) of the patch's, cut off at its edge."""
        weights, others, corner = self._params
        if len(weights) != len(data):
            raise ValueError(f"a batch of {len(weights)} was drawn for, got {len(data)}.")
        mixed = data.clone()
        for number, weight in enumerate(weights.tolist()):
            sides = zip(corner, data.shape[2:], strict=True)
            y, x = (slice(int(at), math.ceil(int(at) + side * math.sqrt(1 - weight))) for at, side in sides)
            mixed[number, :, y, x] = data[int(others[number]), :, y, x]
        return mixed

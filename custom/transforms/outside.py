"""What lies outside the reconstruction is background, whatever a network makes of its filling."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import torch
from monai.transforms import MapTransform


class ClearOutsided(MapTransform):
    """Set results to 0 where the item's ``outside`` (`GreyWindowd`) is true; an item without it stays as it is.

    Args:
        keys: probabilities or the like, (1, Y, X) or (1, Z, Y, X), as ``outside``.
    """

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        item = dict(data)
        outside = item.get("outside")
        if outside is not None:
            for key in self.key_iterator(item):
                # in place, since a slab is large
                item[key].masked_fill_(torch.as_tensor(outside).to(item[key].device), 0)
        return item

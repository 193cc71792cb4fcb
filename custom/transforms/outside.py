"""What lies outside the reconstruction is background, whatever a network makes of its filling."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import torch
from monai.transforms import MapTransform


class ClearOutsided(MapTransform):
    """Make probabilities background where the item's ``outside`` (`GreyWindowd`) is true; an item without it stays as it is.

    Args:
        keys: (C, Y, X) or (C, Z, Y, X), where ``outside`` has one channel. A single one becomes 0 there, of several the
            first, which is the background, 1 and the others 0.
    """

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        item = dict(data)
        outside = item.get("outside")
        if outside is not None:
            for key in self.key_iterator(item):
                # in place, since a slab is large
                where = torch.as_tensor(outside).to(item[key].device)
                item[key].masked_fill_(where, 0)
                if len(item[key]) > 1:
                    item[key][:1].masked_fill_(where, 1)
        return item

"""What a client of the bundle gets back lies as what it gave."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform

from custom.transforms.load import TURNED, turned_round


class RestoreAxesd(MapTransform):
    """Turn results (C, Z, Y, X) back to (C, X, Y, Z) where `LoadStackd` turned round the image that they belong to.

    Clients such as MONAI Label and MONAI Deploy write results with MONAI's axes. Slabs of a stack and arrays came with
    (Z, Y, X) and stay so.

    Args:
        keys: of the results.
        image_key: of the image, whose meta and affine they get.
    """

    def __init__(self, keys: KeysCollection, image_key: str = "image", allow_missing_keys: bool = False) -> None:
        super().__init__(keys, allow_missing_keys)
        self.image_key = image_key

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        item = dict(data)
        image = item.get(self.image_key)
        if isinstance(image, MetaTensor) and image.meta.get(TURNED):
            for key in self.key_iterator(item):
                plain = torch.as_tensor(item[key]).as_subclass(torch.Tensor)
                item[key] = turned_round(MetaTensor(plain, meta=image.meta))
        return item

"""Training patches that reach beyond a reconstruction, so that its black corners are no lithium to a network."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform, RandomizableTransform

from custom.base.classes import UNLABELLED


class RandSurroundd(RandomizableTransform, MapTransform):
    """Blacken what lies outside a random circle through the patch, and make it background in the label.

    A surround that is one exact value is recognised and filled (`GreyWindowd`). This is for those that are not: blurred,
    noisy, compressed with loss. Radii are log-uniform from half the patch's side, a small sample, to 16 sides, a straight
    edge; the circle passes within 0.4 sides of the patch's centre. Two of three surrounds are black, the others grey.

    Args:
        keys: of the images, (1, Y, X) in [0, 1].
        label_key: of the label, which becomes 0 there where it was labelled.
        prob: share of the patches.
        noise: highest standard deviation of the surround's grey values.
    """

    def __init__(self, keys: KeysCollection, label_key: str = "label", prob: float = 0.1, noise: float = 0.03) -> None:
        MapTransform.__init__(self, keys)
        RandomizableTransform.__init__(self, prob)
        self.label_key = label_key
        self.noise = noise

    def randomize(self, shape: tuple[int, int]) -> None:
        """Draw whether, and which circle and grey value."""
        super().randomize(None)
        if not self._do_transform:
            return
        side, draw = max(shape), self.R
        radius = side * math.exp(draw.uniform(math.log(0.5), math.log(16)))
        angle, from_edge = draw.uniform(0, 2 * math.pi), side * draw.uniform(-0.4, 0.4)
        reach = radius + from_edge
        y, x = (np.arange(n) - (n - 1) / 2 for n in shape)
        self.beyond = np.hypot(y[:, None] - reach * math.sin(angle), x - reach * math.cos(angle)) > radius
        level = 0.0 if draw.uniform() < 2 / 3 else draw.uniform()
        noise = draw.normal(0, draw.uniform(0, self.noise), shape)
        self.grey = np.clip(level + noise, 0, 1).astype(np.float32)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        item = dict(data)
        first = next(iter(self.key_iterator(item)))
        self.randomize(tuple(item[first].shape[-2:]))
        if not self._do_transform:
            return item
        beyond = torch.as_tensor(self.beyond)
        for key in self.key_iterator(item):
            image = torch.as_tensor(item[key])
            item[key] = torch.where(beyond, torch.as_tensor(self.grey).to(image), image)
        label = torch.as_tensor(item[self.label_key])
        item[self.label_key] = torch.where(beyond & (label != UNLABELLED), torch.zeros_like(label), label)
        return item

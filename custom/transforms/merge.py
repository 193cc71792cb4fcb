"""Classes that are judged as one: their probabilities are added up, their labels become one value."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform

from custom.base.merging import Merging


class MergeClassesd(MapTransform):
    """Logits of all classes -> logits of the merged ones, whose softmax (sigmoid, of one alone) is the sum of probabilities.

    With s(part) the log-sum-exp of the logits of what became one, the softmax of s is the sum of the softmax over that
    part, and the sigmoid of s(class) - s(rest) the same for a class against all the rest. So whatever follows
    (calibration, threshold or arg max, kept probabilities) sees weights that know no other classes.

    Args:
        keys: logits (C, Y, X), channel 0 the background.
        merging: what becomes of the classes.
        label_key: the label (1, Y, X) with values 0 to C - 1 and 255, which an item may lack.
    """

    def __init__(self, keys: KeysCollection, merging: Merging, label_key: str = "label") -> None:
        super().__init__(keys)
        self.merging, self.label_key = merging, label_key

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        item = dict(data)
        if self.merging.merge is None:
            return item
        for key in self.key_iterator(item):
            logits = torch.as_tensor(item[key]).float()
            sums = torch.stack([logits[part].logsumexp(0) for part in self.merging.parts])
            item[key] = sums[1:] - sums[:1] if len(sums) == 2 else sums
        if item.get(self.label_key) is not None:
            label = torch.as_tensor(item[self.label_key])
            new = torch.tensor(self.merging.of_labels, dtype=label.dtype, device=label.device)
            item[self.label_key] = new[label.long()]
        return item

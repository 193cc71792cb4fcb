"""Grey values -> [0, 1] through the one window of the whole stack."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform

from custom.stack import Stack, grey_window

# found once for all slices of a stack
_window_of_stack = lru_cache(maxsize=16)(grey_window)


class GreyWindowd(MapTransform):
    """Scale grey values so that the window's ends become 0 and 1, and clip outside it.

    The window is the stack's own: the item's ``grey_window`` (lower, upper), which the data list and the slabs carry. An
    item without one gets the window of its ``stack``, which is taken out of the item, or, for a whole volume that a client
    hands over, that of its own values, which is the window that the stack would have had on disk. NaN and infinite values
    become 0, the window's lower end; their number is left in ``nonfinite``.

    Args:
        keys: keys of tensors of any real type and shape; they become float32 in [0, 1].
        percentiles: the window's ends, in [0, 100], for items without ``grey_window``.
        fixed: the window as two grey values; replaces the percentiles for such items.

    Raises:
        BadInput: constant grey values, or none that is finite.
    """

    def __init__(
        self,
        keys: KeysCollection,
        percentiles: Sequence[float] = (0.5, 99.5),
        fixed: Sequence[float] | None = None,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.percentiles = (float(percentiles[0]), float(percentiles[1]))
        self.fixed = None if fixed is None else (float(fixed[0]), float(fixed[1]))

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        item = dict(data)
        stack = item.pop("stack", None)
        for key in self.key_iterator(item):
            values = torch.as_tensor(item[key])
            if item.get("grey_window") is None:
                item["grey_window"] = self._window(stack, values)
            lower, upper = item["grey_window"]
            item[key], item["nonfinite"] = apply_window(values, lower, upper)
        return item

    def _window(self, stack: Stack | None, values: torch.Tensor) -> tuple[float, float]:
        if stack is not None:
            window = _window_of_stack(stack, self.percentiles, self.fixed)
        else:
            volume = values.reshape(-1, *values.shape[-2:]).numpy(force=True)
            window = grey_window(volume, self.percentiles, self.fixed)
        return window.lower, window.upper


def apply_window(values: torch.Tensor, lower: float, upper: float) -> tuple[torch.Tensor, int]:
    """(values - lower) / (upper - lower) as float32, clipped to [0, 1]; also the number of non-finite values."""
    nonfinite = 0
    if values.is_floating_point():
        finite = torch.isfinite(values)
        nonfinite = int(finite.numel() - finite.sum())
        values = values.double() if values.dtype == torch.float64 else values.float()
        if nonfinite:
            values = torch.where(finite, values, lower)
    elif values.dtype == torch.int64:
        values = values.double()
    scaled = torch.sub(values, float(lower)).div_(upper - lower)  # in place, since a slab is large
    return scaled.clamp_(0.0, 1.0).float(), nonfinite

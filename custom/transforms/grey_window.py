"""Grey values -> [0, 1] through the one window of the whole stack."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform

from custom.base.classes import UNLABELLED
from custom.stack import (
    EdgeFill,
    GreyWindow,
    Scaling,
    Stack,
    grey_window,
    left_over,
    outside,
    unseen_surround,
    warn_once,
)

# found once for all slices of a stack
_window_of_stack = lru_cache(maxsize=16)(grey_window)


class GreyWindowd(MapTransform):
    """Scale grey values so that the window's ends become 0 and 1, and clip outside it.

    The window is the stack's own: the item's ``grey_window`` (lower, upper), which the data list and the slabs carry, with
    ``surround``, the values that fill what lies outside the reconstruction. An item without one gets the window of its
    ``stack``, which is taken out of the item, or, for a whole volume that a client hands over, that of its own values, which
    is the window that the stack would have had on disk. NaN and infinite values become 0, the window's lower end; their
    number is left in ``nonfinite``.

    What lies outside the reconstruction is filled with the material nearest to it, becomes unlabelled (255) in the item's label, and is left
    in ``outside`` (bool, of the image's shape) where there is any; also in a slice that has further values there.

    Args:
        keys: keys of tensors of any real type, (1, Y, X) or (1, Z, Y, X); they become float32 in [0, 1].
        scaling: how the window is found for items without ``grey_window``: ``percentiles``, in [0, 100], or ``fixed``, two grey
            values that replace them, see `custom.stack.grey_window`.
        label_key: of the label, which an item may lack.
        stored_key: under which an item that carries its window keeps the grey values that the scaled ones do not give back
            (`custom.stack.left_over`), and under ``<stored_key>_at`` their places; None: they go.

    Raises:
        BadInput: constant grey values, or none that is finite.
    """

    def __init__(
        self,
        keys: KeysCollection,
        scaling: Scaling | None = None,
        label_key: str = "label",
        stored_key: str | None = None,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        ends = ((name, (scaling or {}).get(name)) for name in ("percentiles", "fixed"))
        self.scaling = {name: (float(both[0]), float(both[1])) for name, both in ends if both is not None}
        self.label_key, self.stored_key = label_key, stored_key
        self._fill = EdgeFill()
        self._told = False

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        item = dict(data)
        stack, surround = item.pop("stack", None), item.pop("surround", None)
        for key in self.key_iterator(item):
            values, carried = torch.as_tensor(item[key]), item.get("grey_window") is not None
            if not carried:
                window = self._window(stack, values)
                item["grey_window"], surround = (window.lower, window.upper), window.surround
            item[key], item["nonfinite"] = apply_window(values, *item["grey_window"])
            if surround is not None:
                self._leave_out(item, key, values, surround)
            if carried and self.stored_key is not None:
                self._store(item, key, values)
        return item

    def _store(self, item: dict[Hashable, Any], key: Hashable, values: torch.Tensor) -> None:
        given, scaled = (part[0].numpy(force=True) for part in (values, item[key]))
        left_out = item["outside"][0].numpy(force=True) if "outside" in item else None
        at, grey = left_over(given, scaled, item["grey_window"], left_out)
        item[self.stored_key], item[f"{self.stored_key}_at"] = torch.from_numpy(grey), torch.from_numpy(at)

    def _window(self, stack: Stack | None, values: torch.Tensor) -> GreyWindow:
        if stack is not None:
            return _window_of_stack(stack, **self.scaling)
        volume = values.reshape(-1, *values.shape[-2:]).numpy(force=True)
        return grey_window(volume, **self.scaling)

    def _leave_out(
        self, item: dict[Hashable, Any], key: Hashable, values: torch.Tensor, surround: Sequence[float]
    ) -> None:
        """Find and fill, slice by slice, what lies outside the reconstruction."""
        raw = values.reshape(-1, *values.shape[-2:]).numpy(force=True)
        scaled = item[key].as_subclass(torch.Tensor).reshape(raw.shape).numpy(force=True)
        found: np.ndarray | None = None
        for z, plane in enumerate(raw):
            further = unseen_surround(plane, surround)
            region = outside(plane, (*surround, *further))
            if further:
                self._tell(item, z, further)
            if region is None:
                continue
            if found is None:
                found = np.zeros(raw.shape, bool)
            found[z] = region
            item["nonfinite"] -= int(np.count_nonzero(~np.isfinite(plane[region])))
            self._fill(scaled[z], region, beyond=0.0)
        if found is None:
            return
        # on a CPU both are the same memory
        item[key].copy_(torch.as_tensor(scaled).reshape(values.shape))
        item["outside"] = torch.as_tensor(found.reshape(values.shape))
        if item.get(self.label_key) is not None:
            label = torch.as_tensor(item[self.label_key])
            item[self.label_key] = torch.where(item["outside"], torch.full_like(label, UNLABELLED), label)

    def _tell(self, item: Mapping[Hashable, Any], z: int, further: Sequence[float]) -> None:
        """Once, of the first such slice that is read."""
        if self._told:
            return
        self._told = True
        name = f"{item['stem']}: its slice" if "stem" in item else "Slice"
        warn_once(
            f"{name} {z + item.get('start', item.get('z', 0))} has {', '.join(f'{value:g}' for value in further)} outside the "
            "reconstruction, which no slice had that the grey window was found in; that, and the like of further slices, is "
            "background, and unlabelled in a data set."
        )


def apply_window(values: torch.Tensor, lower: float, upper: float) -> tuple[torch.Tensor, int]:
    """(values - lower) / (upper - lower) as float32, clipped to [0, 1]; also the number of non-finite values."""
    nonfinite, given = 0, values
    if values.is_floating_point():
        finite = torch.isfinite(values)
        nonfinite = int(finite.numel() - finite.sum())
        values = values.double() if values.dtype == torch.float64 else values.float()
        if nonfinite:
            values = torch.where(finite, values, lower)
    elif values.dtype in (torch.int64, torch.uint16):
        values = values.double() if values.dtype == torch.int64 else values.float()
    # in place where the memory is this function's own, since a slab is large
    scaled = torch.sub(values, float(lower), out=None if values is given else values).div_(upper - lower)
    return scaled.clamp_(0.0, 1.0).float(), nonfinite

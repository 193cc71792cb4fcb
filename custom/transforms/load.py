"""From a path, a slab or an array to a channel-first tensor, axes (1, Y, X) or (1, Z, Y, X)."""

from __future__ import annotations

import os
from collections.abc import Hashable, Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform

from custom.stack import Slab, Stack, open_stack


@lru_cache(maxsize=16)
def _opened(path: str, changed_ns: int) -> Stack:
    """Slices of one stack are read one after the other; a handful of open files serves a whole data set.

    `changed_ns` makes a file that was replaced under its old name a new one.
    """
    return open_stack(path)


class LoadStackd(MapTransform):
    """Read what each key names, through the project's own lazy readers (axes (Z, Y, X), never MONAI's (x, y, z)).

    A key may hold
    - a path, with ``z`` in the item: one slice of the file -> (1, Y, X);
    - a path without ``z``: the whole file -> (1, Z, Y, X), or (1, Y, X) where it is a single slice;
    - a `Slab`: the slices [start, stop) of a stack that is open already -> (1, Z, Y, X);
    - an array or tensor in memory: (Y, X) or (Z, Y, X) gets its channel, a channel-first (1, ...) one is taken as it is.

    The values keep their type, except that types torch lacks (uint16, uint32, big-endian) become the next wider one.

    Raises:
        BadInput: whatever `open_stack` refuses.
    """

    def __init__(self, keys: KeysCollection, allow_missing_keys: bool = False) -> None:
        super().__init__(keys, allow_missing_keys)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        item = dict(data)
        for key in self.key_iterator(item):
            item[key] = _to_tensor(_read(item[key], item.get("z")))
        return item


def _read(source: Any, z: int | None) -> np.ndarray | torch.Tensor:
    if isinstance(source, Slab):
        return source.read()[None]
    if isinstance(source, (str, os.PathLike)):
        stack = (
            _opened(os.fspath(source), os.stat(source).st_mtime_ns) if os.path.exists(source) else open_stack(source)
        )
        if z is not None:
            return stack.read(z, z + 1)
        volume = stack.read(0, stack.shape[0])
        return volume if stack.shape[0] == 1 else volume[None]
    has_channel = source.ndim == 4 or (source.ndim == 3 and source.shape[0] == 1)
    return source if has_channel else source[None]


def _to_tensor(array: np.ndarray | torch.Tensor) -> torch.Tensor:
    if isinstance(array, torch.Tensor):
        return array
    wider = {"u2": np.int32, "u4": np.int64, "u8": np.int64, "f2": np.float32, "f8": np.float64}
    kind = array.dtype.kind + str(array.dtype.itemsize)
    return torch.as_tensor(array.astype(wider.get(kind, array.dtype.newbyteorder("=")), copy=not array.flags.writeable))

"""From a path, a slab or an array to a channel-first tensor, axes (1, Y, X) or (1, Z, Y, X)."""

from __future__ import annotations

import os
from collections.abc import Hashable, Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform
from monai.utils import MetaKeys

from custom.stack import Slab, Source, Stack, source

TURNED = "axes_turned_round"  # in a MetaTensor's meta: (Z, Y, X) here, (X, Y, Z) where it came from


@lru_cache(maxsize=16)
def _opened(wanted: Source, changed_ns: int) -> Stack:
    """Slices of one stack are read one after the other; a handful of open files serves a whole data set.

    `changed_ns` makes a file that was replaced under its old name a new one.
    """
    return wanted.open()


class LoadStackd(MapTransform):
    """Read what each key names, through the project's own lazy readers (axes (Z, Y, X), never MONAI's (x, y, z)).

    A key may hold
    - a path, with ``z`` in the item: one slice of the file -> (1, Y, X), under the key "label" read as labels, uint8 in
      {0, 1, 255} (`custom.stack.source` says which array of the file and what else the item may say of it);
    - a path without ``z``: the whole file -> (1, Z, Y, X), as a MetaTensor that knows where its voxels lie;
    - a `Slab`: the slices [start, stop) of a stack that is open already -> (1, Z, Y, X);
    - an array or tensor in memory: (Y, X) or (Z, Y, X) gets its channel, a channel-first (1, ...) one is taken as it is;
    - a MetaTensor of one of MONAI's readers, whose meta has a ``spatial_shape``: (X, Y, Z) or (1, X, Y, Z) ->
      (1, Z, Y, X).

    What came with axes (X, Y, Z), from a file or from a reader of MONAI's, goes back so through `RestoreAxesd`.

    The values keep their type, except that types torch lacks (uint32, big-endian; uint16, with which it does little) become
    the next wider one; a slab keeps uint16 too, since a slab is large.

    Raises:
        BadInput: whatever `open_stack` refuses.
    """

    def __init__(self, keys: KeysCollection, allow_missing_keys: bool = False) -> None:
        super().__init__(keys, allow_missing_keys)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        item = dict(data)
        for key in self.key_iterator(item):
            item[key] = _loaded(data, key)
        return item


def _loaded(item: Mapping[Hashable, Any], key: Hashable) -> torch.Tensor:
    given, z = item[key], item.get("z")
    if isinstance(given, Slab):
        return _of_slab(given)
    if isinstance(given, (str, os.PathLike)):
        wanted = source(item, str(key))
        stack = _opened(wanted, os.stat(given).st_mtime_ns) if os.path.exists(given) else wanted.open()
        return _whole(stack) if z is None else _to_tensor(stack.read(z, z + 1))
    has_channel = given.ndim == 4 or (given.ndim == 3 and given.shape[0] == 1)
    values = _to_tensor(given if has_channel else given[None])
    if isinstance(values, MetaTensor) and MetaKeys.SPATIAL_SHAPE in values.meta:
        return turned_round(values)
    return values


def _of_slab(slab: Slab) -> torch.Tensor:
    values = slab.read()[None]
    return torch.from_numpy(np.require(values, requirements="W")) if values.dtype == np.uint16 else _to_tensor(values)


def _whole(stack: Stack) -> MetaTensor:
    """All of a file, with the meta that MONAI's readers give: shape and affine are those of axes (X, Y, Z)."""
    affine = torch.as_tensor(stack.affine)
    values = MetaTensor(_to_tensor(stack.read(0, stack.shape[0])[None]), affine=affine)
    values.meta |= {
        TURNED: True,
        MetaKeys.SPATIAL_SHAPE: np.array(stack.shape[::-1]),
        MetaKeys.ORIGINAL_AFFINE: affine,
        "filename_or_obj": str(stack.path),
    }
    return values


def turned_round(values: MetaTensor) -> MetaTensor:
    """A MetaTensor (C, X, Y, Z) as (C, Z, Y, X), or the other way; its meta stays as it is, with a note."""
    plain = values.as_subclass(torch.Tensor).permute(0, *range(values.ndim - 1, 0, -1)).contiguous()
    return MetaTensor(plain, meta={**values.meta, TURNED: not values.meta.get(TURNED, False)})


def _to_tensor(array: np.ndarray | torch.Tensor) -> torch.Tensor:
    if isinstance(array, torch.Tensor):
        return array
    wider = {"u2": np.int32, "u4": np.int64, "u8": np.int64, "f2": np.float32, "f8": np.float64}
    kind = array.dtype.kind + str(array.dtype.itemsize)
    return torch.as_tensor(array.astype(wider.get(kind, array.dtype.newbyteorder("=")), copy=not array.flags.writeable))

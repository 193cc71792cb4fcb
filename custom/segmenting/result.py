"""A result of a segmentation: a volume of its own name and type, and how a slab of it is kept until the stack is whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch


@dataclass(frozen=True)
class Result:
    """A volume (Z, Y, X) that is found slab by slab, an entry in the list ``results`` of inference.json.

    Attributes:
        name: of its file, without suffix, and of its key in summary.json.
        of: the key of the evaluator's output that it is made of.
        dtype: of its voxels, numpy's name.
        scale: what the output is multiplied with, and then rounded; 1: taken as it is.
        bits: whether it is 0 and 1 alone, and kept as bits.
        wanted: whether it is written; one that is not still counts among earlier results.
    """

    name: str
    of: str
    dtype: str = "uint8"
    scale: float = 1
    bits: bool = False
    wanted: bool = True

    def take(self, output: Mapping[str, Any]) -> np.ndarray:
        """(h, Y, X) of `dtype`, from an item of the evaluator's output, whose ``of`` is (1, h, Y, X)."""
        values: torch.Tensor = output[self.of][0]
        scaled = values if self.scale == 1 else (values * self.scale).round()
        found: np.ndarray = scaled.to(getattr(torch, self.dtype)).cpu().numpy()
        return found

    def packed(self, found: np.ndarray) -> np.ndarray:
        """As it lies on disk until the stack is whole."""
        return np.packbits(found) if self.bits else found

    def unpacked(self, packed: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """(h, Y, X) of `dtype`."""
        if not self.bits:
            return packed
        return np.unpackbits(packed, count=int(np.prod(shape))).reshape(shape)

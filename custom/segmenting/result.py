"""A result of a segmentation: a volume of its own name and type, and how a slab of it is kept until the stack is whole."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

LONGEST_NAME = 60  # signs of a class's name in a file's


@dataclass(frozen=True)
class Result:
    """A volume (Z, Y, X) that is found slab by slab, an entry in the list ``results`` of inference.json.

    Attributes:
        name: of its file, without suffix, and of its key in summary.json.
        of: the key of the evaluator's output that it is made of; none: its own name.
        dtype: of its voxels, numpy's name.
        scale: what the output is multiplied with, and then rounded; 1: taken as it is.
        values: names of the classes that its voxels are, in the order of the values 1, 2, ...; none where they are none.
        each: names of classes that have a volume each, the channels of the output; a single one is no part of the name.
        channel: of the output.
        wanted: whether it is written; one that is not still counts among earlier results.
    """

    name: str
    of: str = ""
    dtype: str = "uint8"
    scale: float = 1
    values: Sequence[str] = ()
    each: Sequence[str] = ()
    channel: int = 0
    wanted: bool = True

    @property
    def bits(self) -> bool:
        """Whether it is 0 and 1 alone, and kept as bits."""
        return len(self.values) == 1

    def take(self, output: Mapping[str, Any]) -> np.ndarray:
        """(h, Y, X) of `dtype`, from an item of the evaluator's output, whose ``of`` is (C, h, Y, X)."""
        values: torch.Tensor = output[self.of or self.name][self.channel]
        scaled = values if self.scale == 1 else (values * self.scale).round_()
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


def volumes(results: Iterable[Result]) -> tuple[Result, ...]:
    """The volumes of results, one by one: ``probability`` of two classes is ``probability_pit`` and ``probability_dendrite``."""
    return tuple(volume for result in results for volume in _volumes(result))


def _volumes(result: Result) -> list[Result]:
    if len(result.each) < 2:
        return [result]
    return [
        replace(result, name=f"{result.name}_{name}", of=result.of or result.name, each=(), channel=channel)
        for channel, name in enumerate(file_names(result.each))
    ]


def file_names(classes: Sequence[str]) -> list[str]:
    """The classes' names as parts of file names on every system, no two alike, capitals aside."""
    found: list[str] = []
    for value, name in enumerate(classes, 1):
        plain = re.sub(r"[^\w-]+", "_", name)[:LONGEST_NAME]
        while plain.casefold() in (other.casefold() for other in found):
            plain = f"{plain}_{value}"
        found.append(plain)
    return found

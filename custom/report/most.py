"""Pictures of the slices that hold most of something."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Place = tuple[str, int]  # stem of the stack, z


class MostOf:
    """Keeps the pictures of a few slices.

    Args:
        number: how many; those of the highest amount.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        self._kept: dict[Place, tuple[int, NDArray[np.uint8]]] = {}

    def add(self, place: Place, amount: Any, picture: NDArray[np.uint8]) -> None:
        """Keep a slice's picture as long as it is among them; of equal amounts the later stays."""
        self._kept[place] = (int(amount or 0), picture)
        if len(self._kept) > self.number:
            del self._kept[min(self._kept, key=lambda key: self._kept[key][0])]

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def pictures(self) -> dict[Place, NDArray[np.uint8]]:
        """By stack and z."""
        return {place: picture for place, (_, picture) in self._kept.items()}

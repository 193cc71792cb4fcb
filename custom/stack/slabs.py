"""Cutting a stack into slabs of a few slices, the unit in which it is read, segmented and written."""

from dataclasses import dataclass

import numpy as np

from custom.base.errors import BadInput
from custom.stack.stack import Stack


@dataclass(frozen=True)
class Slab:
    """The slices start, ..., stop - 1 of a stack, not read yet."""

    stack: Stack
    start: int
    stop: int

    def read(self) -> np.ndarray:
        """The slab (stop - start, Y, X), of the stack's type; raises what `Stack.read` raises."""
        return self.stack.read(self.start, self.stop)


def slabs(stack: Stack, height: int) -> list[Slab]:
    """Cut `stack` along z into slabs of `height` slices, the last one of what is left, in order and without overlap.

    Raises:
        BadInput: `height` is less than 1.
    """
    if height < 1:
        raise BadInput(f"{stack.path}: cannot be cut into slabs of {height} slices; give a slab height of 1 or more.")
    depth = stack.shape[0]
    return [Slab(stack, start, min(start + height, depth)) for start in range(0, depth, height)]

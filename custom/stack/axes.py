"""Bringing the axes of a file to (Z, Y, X)."""

import os
from collections.abc import Sequence

from custom.errors import BadInput


def three_axes(path: str | os.PathLike[str], shape: Sequence[int]) -> tuple[int, int, int]:
    """(Z, Y, X) of an array whose axes lie in the order ..., z, y, x.

    A 2-D array is one slice. Further axes in front are dropped where their length is 1.

    Raises:
        BadInput: fewer than two axes, or a further axis that is longer than 1.
    """
    lengths = tuple(int(length) for length in shape)
    if len(lengths) < 2 or any(length != 1 for length in lengths[:-3]):
        raise BadInput(
            f"{path}: has {len(lengths)} axes of length {lengths} where (z, y, x) is wanted; "
            "save one grey volume, without time or channels."
        )
    z, y, x = (1, *lengths) if len(lengths) == 2 else lengths[-3:]
    return z, y, x

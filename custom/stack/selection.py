"""Which volume of a file is meant, where it holds several."""

import operator
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from custom.base.errors import BadInput


@dataclass(frozen=True)
class Selection:
    """What `--stack_key` and `--stack_index` say.

    Attributes:
        key: path of an array within the file, for the formats that hold several; None: the format's usual one.
        index: one position, counted from 0, for each axis beside z, y and x, in the order of the file; None: not given.
        labels: whether the file holds labels, which are of one value over wide areas, and not the grey values of a scan.
        axes_given: whether `--stack_axes` says that the axes are x, y and z.
        raw_shape, raw_dtype: what `--raw_shape` and `--raw_dtype` say of a file of bare voxels, as it was typed.
    """

    key: str | None = None
    index: tuple[int, ...] | None = None
    labels: bool = False
    axes_given: bool = False
    raw_shape: Any = None
    raw_dtype: Any = None


def selection(
    path: object, key: Any = None, index: Any = None, labels: bool = False, axes_given: bool = False
) -> Selection:
    """The selection from values as the command line hands them over, which reads `--stack_key 0` as a number.

    Args:
        path: of the stack, for the refusal.
        key: a name or a number, or None.
        index: a whole number or several of them, or None.
        labels, axes_given: see `Selection`.

    Raises:
        BadInput: `index` is something else.
    """
    if index is None:
        return Selection(None if key is None else str(key), labels=labels, axes_given=axes_given)
    try:
        if isinstance(index, (str, bool)):
            raise TypeError
        numbers = tuple(operator.index(number) for number in (index if isinstance(index, Iterable) else [index]))
        if not numbers:
            raise TypeError
    except TypeError:
        raise BadInput(
            f"{path}: --stack_index {index!r} is not usable; give one whole number, or several such as [0,1]."
        ) from None
    return Selection(None if key is None else str(key), numbers, labels, axes_given)

"""The axes of a stack as the user knows them, where the file says otherwise or nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from custom.base.errors import BadInput
from custom.stack.stack import Stack
from custom.stack.turned import TurnedStack

AS_SLICES = "give --stack_axes zyx"  # the cure where a file has another name for its slices


def with_axes(stack: Stack, axes: Any) -> Stack:
    """The stack with the axes that `axes` says, `--stack_axes` on the command line.

    Args:
        stack: as its format's reader opens it.
        axes: what its axes are that are read as z, y and x, in this order: the letters x, y and z, each once.

    Raises:
        BadInput: `axes` is something else.
    """
    letters = ("".join(map(str, axes)) if isinstance(axes, Iterable) else str(axes)).lower()
    if sorted(letters) != ["x", "y", "z"]:
        raise BadInput(
            f"{stack.path}: --stack_axes {letters} is not usable; give the letters x, y and z, each once, in the order of "
            f"the file's axes, which is taken for zyx and has the lengths {stack.shape}."
        )
    order = [letters.index(axis) for axis in "zyx"]
    if order == [0, 1, 2]:
        return stack
    turned = TurnedStack(stack, order, [False] * 3)
    if stack.place is not None:
        turned.place = stack.place.turned([2 - axis for axis in order[::-1]])
    if stack.voxel_size is not None and turned.voxel_size is not None and (other := stack.voxel_size.contradicted_by):
        um = other.um[order[0]], other.um[order[1]], other.um[order[2]]
        turned.voxel_size = replace(turned.voxel_size, contradicted_by=replace(other, um=um))
    return turned

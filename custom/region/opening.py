"""Opening what is segmented: a stack, or the region of one or several raw stacks."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from custom.base.errors import BadInput
from custom.region.laying import tell_zoom
from custom.region.matching import matched
from custom.region.reading import read_region
from custom.region.region_stack import RegionStack
from custom.stack import Stack, open_stack

Paths = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]


def open_stack_or_region(path: Paths, region: str | os.PathLike[str] | None = None, **how: Any) -> Stack:
    """Open a stack, or where a region is given, that of one or several raw stacks, sampled as it is read.

    Args:
        path: the stack's; with a region, also a list of the fields' in any order.
        region: of its `region.json`.
        how: as for `open_stack`, of each raw stack.

    Raises:
        BadInput: whatever opening a stack, reading the region or matching both raises; several stacks without a region.
    """
    if region is None:
        return open_stack(the_only(path), **how)
    read = read_region(region)
    found, stacks = matched(read, open_fields(path, **how))
    tell_zoom(found)
    return RegionStack(found, stacks)


def open_fields(path: Paths, **how: Any) -> list[Stack]:
    """The raw stacks, in the order given.

    Raises:
        BadInput: whatever opening raises; no stack, or one twice.
    """
    paths = paths_of(path)
    for number, one in enumerate(paths):
        if any(
            os.path.exists(one) and os.path.exists(other) and os.path.samefile(one, other) for other in paths[:number]
        ):
            raise BadInput(f"{one}: is given twice in --stack; give each field of view once.")
    return [open_stack(one, **how) for one in paths]


def paths_of(path: Paths) -> list[str]:
    """One path, or several.

    Raises:
        BadInput: none.
    """
    found = [os.fspath(path)] if isinstance(path, (str, os.PathLike)) else [os.fspath(one) for one in path]
    if not found:
        raise BadInput("--stack []: is an empty list; give the path of a stack, or of its fields of view.")
    return found


def the_only(path: Paths) -> str:
    """The one path.

    Raises:
        BadInput: several, which only a region joins.
    """
    found = paths_of(path)
    if len(found) > 1:
        raise BadInput(
            f"{found[0]}: is given together with {len(found) - 1} more, and several fields of view are segmented as one only by "
            "the region that joins them; give its region.json with --region, or one stack."
        )
    return found[0]

"""The region of raw stacks, looked for where nobody gives it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from custom.base.errors import BadInput
from custom.region import Region
from custom.stack import Stack


def found_region(stacks: Sequence[Stack], folder: Path) -> Region:
    """Look for the region.

    Args:
        stacks: the raw fields of view, in any order.
        folder: gets the picture of what was found.

    Raises:
        BadInput: none is found.
    """
    raise BadInput(
        f"{stacks[0].path}: which part of it is the region of interest is not known; give its region.json with --region."
    )

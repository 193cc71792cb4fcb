"""The scans of a series, opened and looked at before anything is measured."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from custom.base.errors import BadInput
from custom.measuring.opening import classes_of
from custom.measuring.reading import Cell
from custom.series.listing import Listed, Scan

Opener = Callable[..., Cell]
_SAME = 1e-3  # by which voxel sizes may differ: as somebody rounds them


def open_scans(listed: Listed, opener: Opener, classes: Any) -> list[Cell]:
    """Open all scans.

    Args:
        opener: `open_cell`, with what is given for all scans.
        classes: names of the masks' values, as `classes_of` takes them.

    Raises:
        BadInput: a scan is missing, unreadable, or of another voxel size than the first; says which row.
    """
    cells: list[Cell] = []
    for scan in listed.scans:
        try:
            cell = opener(**options_of(scan, classes))
        except BadInput as error:
            raise BadInput(f"{listed.place(scan)}: {error}") from error
        first = cells[0] if cells else cell
        _check_size(listed, scan, cell, first)
        cells.append(cell)
    return cells


def options_of(scan: Scan, classes: Any) -> dict[str, Any]:
    """What `open_cell` is given of a row."""
    given = {"probability": None, "stack": None, **scan.files, "classes": classes_of(scan.files["mask"], classes)}
    return given if scan.electrodes is None else {**given, "electrodes": scan.electrodes}


def _check_size(listed: Listed, scan: Scan, cell: Cell, first: Cell) -> None:
    ours, theirs = cell.mask.voxel_size_um, first.mask.voxel_size_um
    known = ours is None, theirs is None
    if known[0] == known[1] and np.allclose(cell.voxel_size, first.voxel_size, rtol=_SAME, atol=0):
        return
    told = [
        "of an unknown size" if size is None else f"of {' x '.join(f'{n:g}' for n in size)} um"
        for size in (ours, theirs)
    ]
    raise BadInput(
        f"{listed.place(scan)}: {cell.mask.path} has voxels {told[0]}, and the first scan {told[1]} (z, y, x); resample it, or "
        "give the size of all with --voxel_size_um if a header is wrong"
    )

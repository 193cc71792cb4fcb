"""What is measured, opened: mask, probability, and where the electrodes lie."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from custom.base.classes import LITHIUM
from custom.base.errors import BadInput
from custom.electrodes.electrodes import Electrodes
from custom.electrodes.from_class import electrodes_of_class
from custom.electrodes.from_grey import electrodes_of_grey
from custom.electrodes.given import AXES, axis_number, electrodes_given
from custom.electrodes.thinned import thinned
from custom.measuring.gap import lengths
from custom.measuring.reading import Cell
from custom.stack import Stack, open_stack

logger = logging.getLogger("measuring")

ELECTRODE = "electrode"
_OF_ELECTRODE = (ELECTRODE, "pit")  # a pit is a hollow that the surface goes on over
OF_LITHIUM = ("lithium", "dendrite", "redeposited")  # names of classes that are lithium, where none are given
_LEAST_APART = 4  # voxels
_ORDER = (1, 2, 0)  # axes through the thickness, as a region of interest has them first
Path_ = str | os.PathLike[str]


def classes_of(mask: Path_, classes: Sequence[str] | None) -> tuple[str, ...]:
    """Names of the mask's values 1, 2, ...: those given, those that the summary.json beside it tells of, else lithium alone."""
    if classes is not None:
        return tuple(classes)
    try:
        told = json.loads((Path(mask).parent / "summary.json").read_text(encoding="utf-8"))
        named = told["mask"] == Path(mask).name and list(told.get("classes", LITHIUM))
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        named = None
    return tuple(named or LITHIUM)


def open_cell(
    mask: Path_,
    probability: Path_ | None = None,
    stack: Path_ | Stack | None = None,
    classes: Sequence[str] = LITHIUM,
    lithium: Sequence[str] | None = None,
    electrodes: Any = None,
    thickness_axis: Any = None,
    voxel_size_um: float | Sequence[float] | None = None,
    deviation: Path_ | None = None,
) -> Cell:
    """Open a mask and what belongs to it, and find the electrodes.

    They are those that are given, else those of a class ``electrode``, else the two steps of the grey stack.

    Args:
        mask: of the values of `classes`; 255 in a mask of lithium alone is lithium too.
        probability: that of lithium; None: there is none.
        stack: grey values that the mask was made of; None: electrodes are not looked for there.
        classes: names of the mask's values 1, 2, ...
        lithium: those that count as lithium; None: by their names.
        electrodes: see `electrodes_given`; None: found.
        thickness_axis: z, y or x; None: found with the electrodes, y for those that are given.
        voxel_size_um: replaces what the mask states.
        deviation: standard deviation of the probability over an E-Net's members, which its uncertainty is; None: not known.

    Raises:
        BadInput: whatever `open_stack` refuses, shapes that differ, classes without lithium, electrodes that cross, are closer
            than 4 voxels or lie outside.
    """
    opened = open_stack(mask, voxel_size_um, labels=True)
    values = lithium_values(f"{mask}", classes, lithium)
    likely, spread = (None if path is None else open_stack(path) for path in (probability, deviation))
    cell = Cell(opened, values, likely, None, lengths(opened.voxel_size_um), None, tuple(classes), spread)
    cell.check()
    grey = open_stack(stack) if isinstance(stack, (str, os.PathLike)) else stack
    if grey is not None and grey.shape != opened.shape:
        ours, theirs = (" x ".join(map(str, one.shape)) for one in (opened, grey))
        raise BadInput(
            f"{grey.path}: has {theirs} voxels (z, y, x) and the mask {opened.path.name} {ours}; give the stack of the mask"
        )
    axes = _ORDER if thickness_axis is None else (axis_number(thickness_axis),)
    if electrodes is not None:
        found: Electrodes | None = checked_electrodes(opened, electrodes, thickness_axis)
    elif found := _found(opened, grey, classes, values, axes):
        _check(found, opened, given=False)
    return replace(cell, electrodes=found, grey=grey)


def lithium_values(mask: str, classes: Sequence[str], lithium: Sequence[str] | None) -> tuple[int, ...]:
    """The values 1, 2, ... of those classes that are lithium: the given ones, or those whose names say so.

    Raises:
        BadInput: none is; the sentence begins with `mask`.
    """
    wanted = OF_LITHIUM if lithium is None else tuple(lithium)
    values = tuple(value for value, name in enumerate(classes, 1) if name in wanted)
    if not values:
        raise BadInput(
            f"{mask}: none of its classes ({', '.join(classes)}) is lithium; name those that are with --lithium"
        )
    return values


def checked_electrodes(stack: Stack, electrodes: Any, thickness_axis: Any) -> Electrodes:
    """Those that are given, if a stack can have them.

    Raises:
        BadInput: as `open_cell`.
    """
    axis = _ORDER[0] if thickness_axis is None else axis_number(thickness_axis)
    found = electrodes_given(electrodes, axis)
    _check(found, stack, given=True)
    return found


def _found(
    mask: Stack, grey: Stack | None, classes: Sequence[str], lithium: Sequence[int], axes: Sequence[int]
) -> Electrodes | None:
    candidates: list[Electrodes] = []
    for axis in axes:
        found = None
        if ELECTRODE in classes:
            electrode = [value for value, name in enumerate(classes, 1) if name in _OF_ELECTRODE]
            found = electrodes_of_class(thinned(mask, axis), axis, electrode, (0, *lithium))
        elif grey is not None:
            found = electrodes_of_grey(thinned(grey, axis), axis)
        if found is not None:
            candidates.append(found)
    if len(candidates) > 1:
        also = " and ".join(AXES[one.axis] for one in candidates[1:])
        logger.warning(
            "%s: electrodes face each other along %s, and along %s too; the former is taken, give --thickness_axis for another.",
            mask.path,
            AXES[candidates[0].axis],
            also,
        )
    return candidates[0] if candidates else None


def _check(found: Electrodes, mask: Stack, given: bool) -> None:
    """Electrodes that cannot be."""
    length = mask.shape[found.axis]
    across = [np.array([0, mask.shape[axis] - 1]) for axis in range(3) if axis != found.axis]
    low, high = (surface.heights(*across) for surface in found.surfaces)
    least, cure = float((high - low).min()), "give them with --electrodes, such as [20,300]"
    if least < _LEAST_APART:
        fault = "cross" if least < 0 else f"are {least:.3g} voxels apart, less than {_LEAST_APART}"
        raise BadInput(f"{mask.path}: its electrodes ({found.source}) {fault}; {cure}")
    if given and (low.max() < 0 or high.min() > length):
        raise BadInput(
            f"{mask.path}: has {length} voxels along {AXES[found.axis]}, and the electrodes ({found.source}) lie outside; {cure}"
        )

"""Electrodes as a person gives them: two positions along the axis through the thickness, or a file of two planes."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

import numpy as np

from custom.base.errors import BadInput
from custom.electrodes.electrodes import Electrodes
from custom.electrodes.surface import Surface

AXES = "zyx"
_FORM = '{"axis": "y", "planes": [{"height": 20.5, "slope": [0.01, 0]}, {"height": 300, "slope": [0, 0]}]}'


def axis_number(axis: Any) -> int:
    """0, 1 or 2 for z, y or x.

    Raises:
        BadInput: anything else.
    """
    if str(axis).lower() not in tuple(AXES):
        raise BadInput(f"--thickness_axis {axis} is no axis of a stack; give z, y or x")
    return AXES.index(str(axis).lower())


def electrodes_given(given: Any, axis: int) -> Electrodes:
    """The planes that ``--electrodes`` gives.

    Args:
        given: two positions along the axis, in voxels from the stack's first side, or the path of a JSON file of two planes.
        axis: through the thickness, 0 is z; a file names its own.

    Raises:
        BadInput: neither.
    """
    if isinstance(given, (str, os.PathLike)):
        return _of_file(Path(given))
    try:
        low, high = (float(position) for position in given)
    except (TypeError, ValueError):
        low = high = math.nan
    if not (math.isfinite(low) and math.isfinite(high)):
        raise BadInput(
            f"--electrodes {given} is not usable; give two positions along the axis through the thickness, in voxels, such as "
            "[20,300], or a JSON file of two planes"
        )
    planes = [Surface((0.0, 0.0), height, np.zeros((1, 1), np.float32)) for height in sorted((low, high))]
    return Electrodes(axis, (planes[0], planes[1]), f"given: {low:g} and {high:g} along {AXES[axis]}")


def _of_file(path: Path) -> Electrodes:
    try:
        told = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise BadInput(
            f"{path}: cannot be read ({error.strerror}); give --electrodes a JSON file like {_FORM}"
        ) from error
    except ValueError as error:
        raise BadInput(f"{path}: is no JSON ({error}); write it like {_FORM}") from error
    try:
        axis, planes = axis_number(told["axis"]), [_plane(one) for one in told["planes"]]
        low, high = sorted(planes, key=lambda plane: plane.height)
    except (BadInput, LookupError, TypeError, ValueError) as error:
        raise BadInput(f"{path}: does not hold an axis and two planes; write it like {_FORM}") from error
    return Electrodes(axis, (low, high), f"given: {path.name}")


def _plane(told: Any) -> Surface:
    height, (first, second) = float(told["height"]), (float(slope) for slope in told.get("slope", (0, 0)))
    if not all(map(math.isfinite, (height, first, second))):
        raise ValueError("no number")
    return Surface((first, second), height, np.zeros((1, 1), np.float32))

"""`region.json` on its way to disk."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Any

from custom.base.files import complete_file
from custom.region.bend import Coefficients
from custom.region.fields import Field
from custom.region.record import Region

ABOUT = (
    "Where the region of interest lies in the raw volume. Lengths are voxels of it, counted from 0 at the first one's centre.",
    "Axes are z (slices), y, x. corners: the four of the region seen along z (yx: [y, x]), along y (zx) and along x (zy),",
    "each in the order (first, first), (first, last), (last, last), (last, first) of its two axes;",
    "zx and zy may be left away: then all slices are taken.",
    "shape: voxels of the region along z, y (through the cell) and x; null: as large as the raw ones.",
    "bend: what the cell's first and last face along y deviate from planes, in voxels of the region:",
    "the sum of c[i][j] u^i w^j, u and w from -1 to 1 along z and x; null: nothing.",
    "fields: the stacks in order of z; shift and rotation_deg (about z) are each one's place in the grid of the first one.",
    "fill: grey value outside the reconstruction. invert: null, or the two grey values whose sum less a value replaces it.",
    "Corners, shape, bend, fill and invert may be edited; give the file with --region.",
    "identity tells other volumes apart: take it out to use the region for another one of the same size.",
)


def write_region(path: str | os.PathLike[str], region: Region) -> None:
    """Write a region as JSON, one quad or coefficient table a line.

    Raises:
        BadInput: the system refuses to write.
    """
    with complete_file(path) as part:
        part.write_text(_laid_out(as_json(region)) + "\n", encoding="utf-8")


def as_json(region: Region) -> dict[str, Any]:
    """What the file holds."""
    volume, bend = region.volume, region.bend
    return {
        "about": list(ABOUT),
        "volume": volume
        and {"shape": list(volume.shape), "dtype": volume.dtype, "voxel_size_um": _listed(volume.voxel_size_um)},
        "fields": [_field(one) for one in region.fields],
        "corners": {name: [list(point) for point in quad] for name, quad in region.corners.quads().items()},
        "shape": _listed(region.shape),
        "bend": bend and {"first": _table(bend.first), "last": _table(bend.last)},
        "fill": region.fill,
        "invert": _listed(region.invert),
        "found": dict(region.found),
    }


def _field(one: Field) -> dict[str, Any]:
    return {
        "stack": one.stack,
        "shape": list(one.shape),
        "identity": one.identity,
        "shift": list(one.shift),
        "rotation_deg": one.rotation_deg,
        "grey": {"scale": one.scale, "offset": one.offset},
        "correlation": one.correlation,
    }


def _table(coefficients: Coefficients) -> list[list[float]]:
    return [list(row) for row in coefficients]


def _listed(values: Sequence[float] | None) -> list[float] | None:
    return None if values is None else list(values)


def _laid_out(value: Any, depth: int = 0) -> str:
    """JSON in which objects and lists of text are spread over lines, and tables of numbers are not."""
    ends = "[]" if isinstance(value, list) else "{}"
    spread = isinstance(value, dict) or (
        isinstance(value, list) and any(isinstance(entry, (dict, str)) for entry in value)
    )
    if not spread or not value:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    entries = (
        [f"{json.dumps(key, ensure_ascii=False)}: {_laid_out(entry, depth + 1)}" for key, entry in value.items()]
        if isinstance(value, dict)
        else [_laid_out(entry, depth + 1) for entry in value]
    )
    indent = "  " * (depth + 1)
    inner = ",\n".join(indent + entry for entry in entries)
    return f"{ends[0]}\n{inner}\n{'  ' * depth}{ends[1]}"

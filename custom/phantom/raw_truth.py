"""The true map of a raw scan as JSON, as the record of a region of interest has it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from custom.phantom.raw_layout import Layout
from custom.phantom.raw_map import FieldPlace, Points
from custom.phantom.raw_scan import FieldFaults

ABOUT = (
    "The true place of the cell in the raw volume. All coordinates are voxel centres, counted from 0, in the order z, y, x.",
    "corners: the cell's outermost voxel centres in the grid of the first field, seen along z (yx), y (zx) and x (zy), each in",
    "the order (first, first), (first, last), (last, last), (last, first) of its axes; corners_3d: the eight, by first and last",
    "along z, y and x. The cell's own faces lie half a voxel beyond them, the film's outer ones found.film_voxels farther.",
    "bend: how far the first and the last face along y are from the planes through these corners, where it is 0, in voxels:",
    "the sum of c[i][j] u^i w^j, u and w from -1 to 1 along z and x.",
    "fields: a point q of the raw grid lies in a field at R(-rotation_deg) (q - shift), about the middle of the slices;",
    "grey scale * value + offset is a value of the first field.",
)

# seen along: the axes that a projection shows, and the one that it looks along
_SEEN = {"yx": (1, 2, 0), "zx": (0, 2, 1), "zy": (0, 1, 2)}
_ORDER = ((0, 0), (0, 1), (1, 1), (1, 0))


def true_region(
    layout: Layout,
    faults: Sequence[FieldFaults],
    stacks: Sequence[str],
    voxel_size_um: tuple[float, float, float],
    air: float,
) -> dict[str, Any]:
    """What true_region.json holds; `air`: the grey value of air in the first field's scale."""
    corners = layout.cell.corners()
    bends = layout.cell.bend.tolist()
    return {
        "about": list(ABOUT),
        "volume": {"shape": list(layout.raw), "dtype": "uint16", "voxel_size_um": list(voxel_size_um)},
        "fields": [_field(*one) for one in zip(stacks, layout.fields, faults, strict=True)],
        "corners": {name: quad(corners, *axes) for name, axes in _SEEN.items()},
        "corners_3d": corners.tolist(),
        "shape": list(layout.cell.shape),
        "bend": {"first": bends[0], "last": bends[1]},
        "fill": round(air),
        "invert": None,
        "found": {
            "tilt_deg": {"about_x": layout.tilt_deg[0], "about_y": layout.tilt_deg[1]},
            "rotation_deg": layout.rotation_deg,
            "film_voxels": layout.film,
            "turn": layout.cell.turn.tolist(),
            "centre": layout.cell.centre.tolist(),
        },
    }


def quad(corners: Points, first: int, second: int, along: int) -> list[list[float]]:
    """The four corners that a projection shows: each is the mean of the two that coincide in it."""
    seen = corners.mean(axis=along)
    return [[float(seen[place][first]), float(seen[place][second])] for place in _ORDER]


def _field(stack: str, place: FieldPlace, faults: FieldFaults) -> dict[str, Any]:
    return {
        "stack": stack,
        "shape": list(place.shape),
        "identity": None,
        "shift": list(place.shift),
        "rotation_deg": place.rotation_deg,
        "grey": {"scale": faults.scale, "offset": faults.offset},
        "correlation": None,
    }

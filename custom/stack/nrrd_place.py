"""Where an NRRD header says that the voxels lie, and how large they are."""

from typing import Any

import numpy as np

from custom.stack.axes import Axes
from custom.stack.place import Place, place_of
from custom.stack.units import VoxelSize, stated_in_mm, stated_voxel_size

# https://teem.sourceforge.net/nrrd/format.html#space; ITK takes any other space for left-posterior-superior
_TO_RAS = {
    "right-anterior-superior": (1, 1, 1),
    "ras": (1, 1, 1),
    "left-anterior-superior": (-1, 1, 1),
    "las": (-1, 1, 1),
}
_LPS = (-1, -1, 1)
# Spaces of a patient or a scanner are in mm where ITK and 3D Slicer leave the unit away; others may be in anything.
_IN_MM = {*_TO_RAS, "left-posterior-superior", "lps", "scanner-xyz"}


def nrrd_place(header: dict[str, Any], axes: Axes) -> Place | None:
    """From `space directions` and `space origin`, else `spacings` and `axis mins`; None where there are no sizes.

    Args:
        header: as pynrrd reads it.
        axes: which of the stored axes, the slowest first, are x, y and z.
    """
    world = _TO_RAS.get(_space(header), _LPS)
    unit = _unit(header)
    if "space directions" in header:
        steps = np.asarray(header["space directions"], float)
        origin = np.asarray(header.get("space origin", [0.0, 0.0, 0.0]), float)
        return place_of(_along(list(steps), axes), origin, world, unit)
    sizes = _along(list(np.asarray(header.get("spacings", []), float)), axes)
    if any(size is None or not size > 0 for size in sizes[:2]):
        return None
    columns = [None if size is None else size * np.eye(3)[axis] for axis, size in enumerate(sizes)]
    lowest = _along(list(np.asarray(header.get("axis mins", header.get("axismins", [])), float)), axes)
    centers = header.get("centerings", header.get("centers", []))
    node = [str(center).lower() == "node" for center in (centers.split() if isinstance(centers, str) else centers)]
    at_voxel = _along(node, axes)
    origin = np.array(
        [
            0.0 if low is None or size is None or not np.isfinite(low) else low + (0.0 if center else size / 2)
            for low, size, center in zip(lowest, sizes, at_voxel, strict=True)
        ]
    )
    return place_of(columns, origin, _LPS, unit, stated=any(low is not None for low in lowest))


def nrrd_voxel_size(header: dict[str, Any], axes: Axes) -> VoxelSize | None:
    """From `space directions` with `space units`, or `spacings` with `units`; one unit for all axes."""
    source = "NRRD header"
    if "space directions" not in header:
        sizes = [None if size is None else float(size) for size in _along(list(header.get("spacings", [])), axes)]
        return stated_voxel_size(sizes[::-1], _unit(header), source)
    steps = _along(list(np.asarray(header["space directions"], float)), axes)
    sizes = [None if step is None or np.isnan(step).any() else float(np.linalg.norm(step)) for step in steps]
    if not header.get("space units") and _unit(header) == "mm":
        return stated_in_mm(sizes[::-1], source)
    return stated_voxel_size(sizes[::-1], _unit(header), source)


def _unit(header: dict[str, Any]) -> str | None:
    own = "space units" if "space directions" in header else "units"
    units = header.get(own, header.get("space units", []))
    if not units and own == "space units" and _space(header) in _IN_MM:
        return "mm"
    return units[0] if len(set(units)) == 1 else None


def _space(header: dict[str, Any]) -> str:
    """The name of the space; one that ends in time is, for the three others, the same."""
    name = str(header.get("space", "")).lower()
    return name.removesuffix("-time") if "-" in name else name[:3]


def _along(values: list[Any], axes: Axes) -> list[Any]:
    """Those of the axes x, y and z out of one value for each axis, the fastest first; None for what is not there."""
    numbers = [None if axis is None else len(axes.lengths) - 1 - axis for axis in (axes.x, axes.y, axes.z)]
    return [None if number is None or number >= len(values) else values[number] for number in numbers]

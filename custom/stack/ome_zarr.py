"""What the attributes of a Zarr group say of an image pyramid, OME-Zarr up to 0.5 (https://ngff.openmicroscopy.org)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from custom.stack.units import VoxelSize, stated_voxel_size, to_um


@dataclass(frozen=True)
class Pyramid:
    """The finest level of an image pyramid.

    Attributes:
        path: of its array within the group.
        names: of the axes, the slowest first; None where they are not stated (before 0.3).
        voxel_size: None where no axis has a unit or no scale is stated.
    """

    path: str
    names: list[str] | None
    voxel_size: VoxelSize | None


def pyramid(attributes: Mapping[str, Any]) -> Pyramid | None:
    """The pyramid that the attributes of a group describe, or None where they describe none.

    The scale of level 0 and a scale for all levels are multiplied. Other levels are not looked at: some writers give
    them wrong scales.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: the description is not that of any version.
    """
    described = attributes.get("ome", attributes).get("multiscales")  # 0.5 puts everything under "ome"
    if not described:
        return None
    image, level = described[0], described[0]["datasets"][0]
    axes = [axis if isinstance(axis, Mapping) else {"name": axis} for axis in image.get("axes", [])]
    scale = [1.0] * len(axes)
    stated = False
    for step in [*level.get("coordinateTransformations", []), *image.get("coordinateTransformations", [])]:
        if step.get("type") == "scale" and "scale" in step:
            scale = [a * float(b) for a, b in zip(scale, step["scale"], strict=True)]
            stated = True
    names = [str(axis["name"]) for axis in axes]
    size = _voxel_size(names, [axis.get("unit") for axis in axes], scale) if stated else None
    return Pyramid(str(level["path"]), names or None, size)


def _voxel_size(names: Sequence[str], units: Sequence[str | None], scale: Sequence[float]) -> VoxelSize | None:
    along = {name.lower(): (size, unit) for name, size, unit in zip(names, scale, units, strict=True)}
    um: list[float | None] = []
    for axis in "zyx":
        size, unit = along.get(axis, (None, None))
        if size is not None and unit is None:
            return None
        try:
            um.append(None if size is None or unit is None else to_um(size, unit))
        except ValueError:
            return None
    return stated_voxel_size(um, "um", "OME-Zarr metadata")

"""What the attributes of a Zarr group say of an image pyramid, OME-Zarr up to 0.5 (https://ngff.openmicroscopy.org)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from custom.stack.place import Place, place_of, spans_space
from custom.stack.units import VoxelSize, stated_voxel_size, to_um

OWN_PLACE = "voxels_to_space"  # beside "ome", of ours: where axes are turned, which OME-Zarr cannot say
_MOVES = {"scale", "translation"}


@dataclass(frozen=True)
class Pyramid:
    """The finest level of an image pyramid.

    Attributes:
        path: of its array within the group.
        names: of the axes, the slowest first; None where they are not stated (before 0.3).
        voxel_size: None where no axis has a unit or no scale is stated.
        place: None where no scale is stated, or a transformation of another kind.
    """

    path: str
    names: list[str] | None
    voxel_size: VoxelSize | None
    place: Place | None = None


def pyramid(attributes: Mapping[str, Any]) -> Pyramid | None:
    """The pyramid that the attributes of a group describe, or None where they describe none.

    The transformations of level 0 and those for all levels are done one after the other. Other levels are not looked at:
    some writers give them wrong scales.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: the description is not that of any version.
    """
    described = attributes.get("ome", attributes).get("multiscales")  # 0.5 puts everything under "ome"
    if not described:
        return None
    image, level = described[0], described[0]["datasets"][0]
    axes = [axis if isinstance(axis, Mapping) else {"name": axis} for axis in image.get("axes", [])]
    names = [str(axis["name"]) for axis in axes]
    steps = [*level.get("coordinateTransformations", []), *image.get("coordinateTransformations", [])]
    scale, shift = np.ones(len(axes)), np.zeros(len(axes))
    for step in steps:
        if step.get("type") == "scale" and "scale" in step:
            by = np.array([float(factor) for _, factor in zip(axes, step["scale"], strict=True)])
            scale, shift = scale * by, shift * by
        elif step.get("type") == "translation" and "translation" in step:
            shift = shift + [float(length) for _, length in zip(axes, step["translation"], strict=True)]
    if not any(step.get("type") == "scale" and "scale" in step for step in steps):
        return Pyramid(str(level["path"]), names or None, None)
    units = [axis.get("unit") for axis in axes]
    place = (
        _place(names, units, scale, shift) if {step.get("type") for step in steps} <= _MOVES | {"identity"} else None
    )
    size = _voxel_size(names, units, scale.tolist())
    return Pyramid(str(level["path"]), names or None, size, _own_place(attributes.get(OWN_PLACE)) or place)


def own_place(place: Place) -> dict[str, Any]:
    """A place as the attributes of a group keep it, for a stack whose axes are turned."""
    about = "4 x 4, from voxel numbers (x, y, z) to the right, the front and up (RAS), as in NIfTI"
    return {"about": about, "affine": place.affine.tolist(), "unit": place.unit}


def _own_place(stated: Any) -> Place | None:
    if not isinstance(stated, Mapping):
        return None
    affine, unit = np.array(stated.get("affine"), float), stated.get("unit")
    if affine.shape != (4, 4) or not spans_space(affine):
        return None
    place = Place(affine, None if unit is None else str(unit))
    return replace(place, seen_mm=place.mm)


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


def _place(names: Sequence[str], units: Sequence[str | None], scale: np.ndarray, shift: np.ndarray) -> Place | None:
    """The axes of the file point as those of ITK do; its origin counts as stated where it is not 0."""
    spatial = {"xyz".index(name.lower()): axis for axis, name in enumerate(names) if name.lower() in ("x", "y", "z")}
    try:
        um = [to_um(1.0, units[axis] or "") for axis in spatial.values()]
    except ValueError:
        um = []
    columns: list[np.ndarray | None] = [None, None, None]
    origin = np.zeros(3)
    for (number, axis), factor in zip(spatial.items(), um or [1.0] * len(spatial), strict=True):
        columns[number] = scale[axis] * factor * np.eye(3)[number]
        origin[number] = shift[axis] * factor
    place = place_of(columns, origin, (-1, -1, 1), "um" if um else None, bool(origin.any()))
    return None if place is None else replace(place, seen_mm=place.mm)

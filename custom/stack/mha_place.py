"""Where a MetaImage header says that the voxels lie, and how large they are."""

import numpy as np

from custom.stack.axes import Axes
from custom.stack.place import Place, place_of
from custom.stack.units import VoxelSize, stated_in_mm, stated_voxel_size

# Names of the same thing, in the order in which MetaIO prefers them.
_ORIGIN = ("Origin", "Offset", "Position")
_DIRECTION = ("TransformMatrix", "Rotation", "Orientation")
_SIZE = ("ElementSpacing", "ElementSize")


def mha_place(header: dict[str, str], axes: Axes) -> Place | None:
    """Each row of `TransformMatrix` is the direction of an axis, in a world of left, posterior and superior as in ITK.

    `CenterOfRotation` moves nothing and `AnatomicalOrientation` only names the directions, both as in ITK.

    Raises:
        ValueError: a field is not a list of numbers of the right length.
    """
    lengths = len(axes.lengths)
    size, origin, direction = (_numbers(header, names) for names in (_SIZE, _ORIGIN, _DIRECTION))
    if size is None and origin is None and direction is None:
        return None
    sizes = np.ones(lengths) if size is None else _check(size, lengths)
    rows = np.eye(lengths) if direction is None else _check(direction, lengths**2).reshape(lengths, lengths)
    steps = rows * sizes[:, None]
    numbers = [None if axis is None else lengths - 1 - axis for axis in (axes.x, axes.y, axes.z)]
    columns = [None if number is None else steps[number] for number in numbers]
    first = np.zeros(3) if origin is None else _check(origin, lengths)
    stated = origin is not None or direction is not None
    return place_of(columns, first, (-1, -1, 1), _unit(header), stated)


def mha_voxel_size(header: dict[str, str], axes: Axes) -> VoxelSize | None:
    """In millimetres, unless `DistanceUnits` says otherwise; MetaIO turns an axis of negative spacing round."""
    stated = _numbers(header, _SIZE)
    if stated is None:
        return None
    lengths = len(axes.lengths)
    numbers = [None if axis is None else lengths - 1 - axis for axis in (axes.z, axes.y, axes.x)]
    sizes = [None if number is None else abs(float(_check(stated, lengths)[number])) for number in numbers]
    unit = _unit(header)
    if unit == "mm":
        return stated_in_mm(sizes, "MetaImage header")
    return stated_voxel_size(sizes, unit, "MetaImage header")


def _unit(header: dict[str, str]) -> str:
    unit = header.get("DistanceUnits", "?")
    return "mm" if unit in ("?", "") else unit


def _numbers(header: dict[str, str], names: tuple[str, ...]) -> np.ndarray | None:
    stated = next((header[name] for name in names if name in header), None)
    return None if stated is None else np.array([float(number) for number in stated.split()])


def _check(numbers: np.ndarray, wanted: int) -> np.ndarray:
    if len(numbers) != wanted:
        raise ValueError(f"{len(numbers)} numbers where {wanted} belong")
    return numbers

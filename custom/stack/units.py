"""Length units and the voxel size, which is always micrometres inside the project."""

import math
import os
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from custom.base.errors import BadInput

_UM_PER_UNIT = {
    "nm": 1e-3,
    "um": 1.0,
    "mm": 1e3,
    "cm": 1e4,
    "m": 1e6,
    "inch": 25.4e3,
}
_SPELLINGS = {
    "nanometer": "nm",
    "nanometre": "nm",
    "micron": "um",
    "micrometer": "um",
    "micrometre": "um",
    "millimeter": "mm",
    "millimetre": "mm",
    "centimeter": "cm",
    "centimetre": "cm",
    "meter": "m",
    "metre": "m",
    "in": "inch",
    "inche": "inch",
}


@dataclass(frozen=True)
class VoxelSize:
    """A known voxel size.

    Attributes:
        um: size along (z, y, x) in micrometres, each finite and greater than 0.
        source: where it was read, in words for a report, such as "ImageJ metadata" or "given".
        z_stated: False where z was taken equal to the pixel size.
        contradicted_by: another statement in the same file that says something else, if any.
    """

    um: tuple[float, float, float]
    source: str
    z_stated: bool = True
    contradicted_by: "VoxelSize | None" = None

    def agrees(self, other: "VoxelSize") -> bool:
        """Whether both are within 1 %; z counts where both state it. Rounding in the files stays far below."""
        axes = (0, 1, 2) if self.z_stated and other.z_stated else (1, 2)
        return all(math.isclose(self.um[axis], other.um[axis], rel_tol=0.01) for axis in axes)

    def contradiction(self) -> str:
        """What it and `contradicted_by` say, for the end of a sentence."""
        other = self.contradicted_by
        said = [f"{in_um(one.um)} um ({one.source})" for one in (self, other) if one]
        return (
            f"states two voxel sizes (z, y, x), {' and '.join(said)}; the first is taken, give --voxel_size_um "
            "if it is wrong."
        )


def in_um(sizes: Sequence[float]) -> str:
    """Sizes (z, y, x) as words, without their unit."""
    return " x ".join(f"{size:.6g}" for size in sizes)


def to_um(value: float, unit: str) -> float:
    """Convert a length to micrometres.

    Args:
        value: the length, in `unit`.
        unit: nm, um, mm, cm, m or inch, or their English names (micron, micrometre, millimeters ...), in any case. The
            micro sign is read in both Unicode forms, in the escaped form that ImageJ writes into TIFF files, and as the
            byte of Latin-1 that Python keeps as a surrogate.

    Raises:
        ValueError: `unit` is not a unit of length.
    """
    # NFKC turns the micro sign U+00B5 into the Greek letter U+03BC.
    for micro in ("\\u00B5", "\udcb5"):
        unit = unit.replace(micro, "u")
    name = unicodedata.normalize("NFKC", unit).replace("\u03bc", "u").strip().lower()
    name = _SPELLINGS.get(name, _SPELLINGS.get(name.removesuffix("s"), name))
    if name not in _UM_PER_UNIT:
        raise ValueError(f"{unit!r} is not a unit of length: use one of {', '.join(_UM_PER_UNIT)}")
    return value * _UM_PER_UNIT[name]


def stated_voxel_size(sizes: Sequence[float | None], unit: str | None, source: str) -> VoxelSize | None:
    """The voxel size that a file states, or None where the statement does not amount to one.

    None comes back for a missing or unknown unit and for sizes that are not finite and greater than 0. Where z alone is
    missing, as in a single slice, and the pixels are square, z is taken equal to them (voxels of reconstructed CT are
    cubes) and `source` says so.

    Args:
        sizes: along ..., z, y, x in `unit`; only the last three count, those missing in front or None are unknown.
        unit: unit of length as read from the file, or None.
        source: which metadata stated it.
    """
    *_, z, y, x = (None, None, None, *sizes)
    if unit is None or y is None or x is None:
        return None
    z_stated = z is not None
    if z is None:
        if not math.isclose(y, x, rel_tol=1e-4):
            return None
        z, source = x, f"{source} (slice spacing taken equal to the pixel size)"
    try:
        um = (to_um(z, unit), to_um(y, unit), to_um(x, unit))
    except ValueError:
        return None
    return VoxelSize(um, source, z_stated) if all(math.isfinite(size) and size > 0 for size in um) else None


def first_stated(*sizes: VoxelSize | None) -> VoxelSize | None:
    """The first of several statements in one file, with the next one that contradicts it, if any."""
    known = [size for size in sizes if size is not None]
    if not known:
        return None
    first = known[0]
    other = first.contradicted_by or next((size for size in known[1:] if not first.agrees(size)), None)
    return replace(first, contradicted_by=other)


def stated_in_mm(sizes: Sequence[float | None], source: str) -> VoxelSize | None:
    """Like `stated_voxel_size` in millimetres, for formats in which 1 mm is what a writer puts when it knows nothing.

    A size of exactly 1 mm along every axis is therefore None: no tomogram of a battery has voxels that large.
    """
    return None if all(size is None or size == 1 for size in sizes) else stated_voxel_size(sizes, "mm", source)


def given_voxel_size(path: str | os.PathLike[str], um: float | Sequence[float]) -> VoxelSize:
    """The voxel size that the user gives for `path`: one number for cubes, or three for (z, y, x), in micrometres.

    Raises:
        BadInput: not one or three numbers, or one that is not finite and greater than 0.
    """
    try:
        z, y, x = (float(size) for size in np.broadcast_to(np.asarray(um, dtype=float), 3))
    except (TypeError, ValueError):
        z = y = x = math.nan
    if not all(math.isfinite(size) and size > 0 for size in (z, y, x)):
        raise BadInput(
            f"{path}: the voxel size given as {um!r} is not usable; give one number, or three for z, y and x, "
            "in micrometres and greater than 0."
        )
    return VoxelSize((z, y, x), "given")

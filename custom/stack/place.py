"""Where the voxels of a stack lie in space, as its file states it.

A place is kept in the file's own numbers and unit. ITK heeds the unit of NIfTI and takes any other for mm, nibabel heeds
none, and each prefers another of NIfTI's two forms: a result lies over its stack in all of them only if it says the same
in the same words.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from nibabel.affines import apply_affine, voxel_sizes

from custom.stack.units import to_um

LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
_SMALLEST = 1e-9  # sine of the angle between axes below which a matrix spans no volume


@dataclass(frozen=True, eq=False)
class Place:
    """Where the voxels lie.

    Attributes:
        affine: 4 x 4, from voxel numbers (x, y, z) to lengths in `unit`: x to the right, y to the front, z up (RAS, as in
            NIfTI).
        unit: of these lengths, in the file's own word (mm, um, pixel, ...); None where there is none.
        stated: whether direction and origin are stated. If not, they are those that ITK takes for such a file: the first
            voxel at 0, x to the left and y to the back.
        seen_mm: how many millimetres ITK and 3D Slicer take one unit for; they heed the unit of NIfTI alone.
        second: another such matrix that the file states, else None.
        nifti: the fields of a NIfTI header that say all this, to be copied as they are.
    """

    affine: np.ndarray
    unit: str | None
    stated: bool = True
    seen_mm: float = 1.0
    second: np.ndarray | None = None
    nifti: Mapping[str, Any] | None = None

    @property
    def known(self) -> bool:
        """Whether `unit` is a unit of length."""
        return _mm_in(self.unit) is not None

    @property
    def mm(self) -> float:
        """Millimetres in a unit; what is no unit of length counts as mm, as in ITK."""
        return _mm_in(self.unit) or 1.0

    @property
    def unset(self) -> bool:
        """Whether it is 1 mm at the origin, which writers put where they know nothing."""
        return self.mm == 1 and bool(np.array_equal(np.abs(self.affine), np.eye(4)))

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Size of a voxel along (x, y, z), in `unit`."""
        x, y, z = voxel_sizes(self.affine).tolist()
        return x, y, z

    @property
    def seen(self) -> np.ndarray:
        """The matrix to mm as ITK and 3D Slicer read the file, RAS."""
        return np.diag([self.seen_mm] * 3 + [1.0]) @ self.affine

    def resized(self, um: Sequence[float]) -> Place:
        """With voxels of another size, (z, y, x) in micrometres; direction and origin stay.

        Numbers without a unit get the one in which they are that size, so that they can stay as they are.
        """
        wanted = np.array(um[::-1], float)
        if not self.known:
            in_um = np.allclose(wanted, self.spacing, rtol=0.01, atol=0)
            return replace(self, unit="um" if in_um else "mm", nifti=None).resized(um)
        factors = wanted / (1000 * self.mm) / self.spacing
        if np.allclose(factors, 1, rtol=1e-4, atol=0):  # what is left is rounding
            return self
        affine = self.affine.copy()
        affine[:3, :3] *= factors
        # a header of ones says nothing of direction and origin either
        return replace(self, affine=affine, stated=self.stated and not self.unset, nifti=None, second=None)

    def turned(self, order: Sequence[int]) -> Place:
        """Of the same voxels, numbered along other axes: the new x, y and z are the old ones of these numbers (x is 0)."""
        columns = [*order, 3]
        second = None if self.second is None else self.second[:, columns]
        return replace(self, affine=self.affine[:, columns], second=second, nifti=None)


def place_of(
    columns: Sequence[Sequence[float] | np.ndarray | None],
    origin: Sequence[float] | np.ndarray,
    world: Sequence[float],
    unit: str | None,
    stated: bool = True,
) -> Place | None:
    """The place that directions and an origin amount to, None where they span no space.

    Args:
        columns: of the steps along x, y and z in the file's world, each of one to three components. A missing step, of a
            single slice, is taken perpendicular to the others.
        origin: of the first voxel, likewise.
        world: the signs that lead from the file's world to RAS.
        unit, stated: as in `Place`.
    """
    steps = [None if column is None or not np.all(np.isfinite(column)) else _three(column) for column in columns]
    known = [step for step in steps if step is not None]
    if len(known) < 2:
        return None
    affine = np.eye(4)
    for axis, step in enumerate(steps):
        affine[:3, axis] = _perpendicular(steps, axis) if step is None else step
    if np.all(np.isfinite(origin)):
        affine[:3, 3] = _three(origin)
    affine[:3] *= np.reshape(world, (3, 1))
    return Place(affine, unit, stated) if spans_space(affine) else None


def spans_space(affine: np.ndarray) -> bool:
    """Whether different voxels have different places."""
    sizes = voxel_sizes(affine)
    if not np.all(np.isfinite(affine)) or not np.all(sizes > 0):
        return False
    return bool(abs(np.linalg.det(affine[:3, :3] / sizes)) > _SMALLEST)


def plain_affine(xyz: Sequence[float]) -> np.ndarray:
    """What ITK takes for a file that states sizes alone: the first voxel at 0, x to the left, y to the back."""
    return LPS_TO_RAS @ np.diag([*xyz, 1.0])


def displacement(one: np.ndarray, other: np.ndarray, shape: Sequence[int]) -> float:
    """How far apart two matrices put a corner of a stack (Z, Y, X) at most, in voxels of the first one."""
    corners = np.array(np.meshgrid(*((0, n - 1) for n in shape[::-1]))).reshape(3, -1).T
    apart = apply_affine(np.linalg.inv(one) @ other, corners) - corners
    return float(np.abs(apart).max())


def _mm_in(unit: str | None) -> float | None:
    try:
        return to_um(1.0, unit or "") / 1000
    except ValueError:
        return None


def _three(vector: Sequence[float] | np.ndarray) -> np.ndarray:
    """The first three components; those that are missing are 0."""
    found = np.zeros(3)
    found[: len(vector)] = np.asarray(vector, float)[:3]
    return found


def _perpendicular(steps: Sequence[np.ndarray | None], axis: int) -> np.ndarray:
    one, other = steps[(axis + 1) % 3], steps[(axis + 2) % 3]
    if one is None or other is None:
        return np.zeros(3)
    normal = np.cross(one, other)
    return normal / math.sqrt(max(float(np.linalg.norm(normal)), 1e-300))  # as long as the pixels are on average

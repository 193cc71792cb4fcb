"""Where a region's voxels lie, and how large they are, by the affine part of its map."""

from __future__ import annotations

import numpy as np

from custom.region.record import Region
from custom.stack import Place, Stack, tell_once
from custom.stack.place import plain_affine
from custom.stack.units import VoxelSize, in_um

_ALIKE = 0.01  # by which sizes of voxels may differ before it is said


def steps(region: Region) -> tuple[float, float, float]:
    """Length of a step along z, y and x of the region in raw voxels, on average."""
    z, y, x = np.linalg.norm(region.map().affine[:3, :3], axis=0).tolist()
    return z, y, x


def region_voxel_size(region: Region, raw: Stack) -> VoxelSize | None:
    """The region's voxel size, from the raw stack's; None where that is unknown."""
    if raw.voxel_size is None:
        return None
    columns = region.map().affine[:3, :3] * np.reshape(raw.voxel_size.um, (3, 1))
    z, y, x = np.linalg.norm(columns, axis=0).tolist()
    return VoxelSize((z, y, x), raw.voxel_size.source)


def region_place(region: Region, raw: Stack) -> Place:
    """Where the region's voxels lie, in the raw stack's space, so that viewers lay both over one another."""
    affine = region.map().affine[[2, 1, 0, 3]][:, [2, 1, 0, 3]]  # as Place has it: x, y, z
    if raw.place is not None:
        return Place(raw.place.affine @ affine, raw.place.unit, True, raw.place.seen_mm)
    if raw.voxel_size_um is None:
        return Place(plain_affine((1.0, 1.0, 1.0)) @ affine, None)
    z, y, x = (size / 1000 for size in raw.voxel_size_um)
    return Place(plain_affine((x, y, z)) @ affine, "mm")


def tell_zoom(region: Region) -> None:
    """Say it where a region's voxels are not as large as the raw ones."""
    found = steps(region)
    if max(abs(step - 1) for step in found) > _ALIKE:
        tell_once(f"{region.name}: the region's voxels are {in_um(found)} raw voxels large (z, y, x).")

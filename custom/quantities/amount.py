"""Amount of lithium in a segmented stack, with units where the voxel size is known."""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import index
from typing import SupportsIndex


def lithium_summary(
    lithium_voxels: SupportsIndex,
    voxels: SupportsIndex,
    voxel_size_um: Sequence[float] | None = None,
    outside_voxels: SupportsIndex = 0,
) -> dict[str, int | float]:
    """Voxel count, volume fraction and, where the voxel size is known, volume of the lithium.

    Args:
        lithium_voxels: voxels segmented as lithium, 0 .. voxels.
        voxels: all voxels that were segmented, at least 1.
        voxel_size_um: (z, y, x) in micrometres, each finite and above 0; None where unknown.
        outside_voxels: those of `voxels` that lie outside the reconstruction, fewer than all; the fraction is of the others.

    Returns:
        lithium_voxels, voxels, volume_fraction in [0, 1]; with a voxel size also lithium_um3 and lithium_mm3.

    Raises:
        ValueError: a count or voxel size outside these ranges.
    """
    # Python's own ints: a 32-bit numpy count of 3e9 voxels would overflow in the product with the voxel volume.
    lithium, total = index(lithium_voxels), index(voxels)
    inside = total - index(outside_voxels)
    if not 0 <= lithium <= inside <= total or inside == 0:
        raise ValueError(f"{lithium} lithium voxels of {inside} is impossible: 0 .. voxels, of at least one.")
    summary: dict[str, int | float] = {
        "lithium_voxels": lithium,
        "voxels": total,
        "volume_fraction": lithium / inside,
    }
    if voxel_size_um is None:
        return summary
    if len(voxel_size_um) != 3 or not all(math.isfinite(s) and s > 0 for s in voxel_size_um):
        raise ValueError(f"voxel_size_um must be three lengths (z, y, x) above 0, not {tuple(voxel_size_um)}.")
    lithium_um3 = lithium * math.prod(float(s) for s in voxel_size_um)
    return summary | {"lithium_um3": lithium_um3, "lithium_mm3": lithium_um3 * 1e-9}

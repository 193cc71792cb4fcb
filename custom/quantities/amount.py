"""Amount of a class in a segmented stack, with units where the voxel size is known."""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import index
from typing import SupportsIndex

Amount = dict[str, int | float]


def class_amount(
    of_class: SupportsIndex,
    voxels: SupportsIndex,
    voxel_size_um: Sequence[float] | None = None,
    outside_voxels: SupportsIndex = 0,
) -> Amount:
    """Voxel count, volume fraction and, where the voxel size is known, volume of one class.

    Args:
        of_class: voxels segmented as the class, 0 .. voxels.
        voxels: all voxels that were segmented, at least 1.
        voxel_size_um: (z, y, x) in micrometres, each finite and above 0; None where unknown.
        outside_voxels: those of `voxels` that lie outside the reconstruction, fewer than all; the fraction is of the others.

    Returns:
        voxels, of the class alone, and volume_fraction in [0, 1]; with a voxel size also um3 and mm3.

    Raises:
        ValueError: a count or voxel size outside these ranges.
    """
    # Python's own ints: a 32-bit numpy count of 3e9 voxels would overflow in the product with the voxel volume.
    found, total = index(of_class), index(voxels)
    inside = total - index(outside_voxels)
    if not 0 <= found <= inside <= total or inside == 0:
        raise ValueError(f"{found} voxels of a class among {inside} is impossible: 0 .. voxels, of at least one.")
    amount: Amount = {"voxels": found, "volume_fraction": found / inside}
    if voxel_size_um is None:
        return amount
    if len(voxel_size_um) != 3 or not all(math.isfinite(s) and s > 0 for s in voxel_size_um):
        raise ValueError(f"voxel_size_um must be three lengths (z, y, x) above 0, not {tuple(voxel_size_um)}.")
    um3 = found * math.prod(float(s) for s in voxel_size_um)
    return amount | {"um3": um3, "mm3": um3 * 1e-9}


def lithium_summary(
    lithium_voxels: SupportsIndex,
    voxels: SupportsIndex,
    voxel_size_um: Sequence[float] | None = None,
    outside_voxels: SupportsIndex = 0,
) -> Amount:
    """`class_amount` of the one class that is looked for: lithium_voxels, voxels (all), volume_fraction, lithium_um3, lithium_mm3.

    Raises:
        ValueError: as there.
    """
    amount = class_amount(lithium_voxels, voxels, voxel_size_um, outside_voxels)
    summary: Amount = {"lithium_voxels": amount["voxels"], "voxels": index(voxels)}
    summary["volume_fraction"] = amount["volume_fraction"]
    return summary | {f"lithium_{unit}": amount[unit] for unit in ("um3", "mm3") if unit in amount}

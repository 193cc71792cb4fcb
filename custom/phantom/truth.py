"""What a cell truly holds, counted on the phase map that it was scanned from: no noise, no blur, no threshold."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from custom.phantom.classes import CLASSES, LITHIUM
from custom.phantom.contact import gaps
from custom.phantom.layers import ELECTRODE

MAH_PER_UM3 = 3860 * 0.534e-12  # dense lithium: 3860 mAh/g, 0.534 g/cm3

Mask = NDArray[np.bool_]


def truth(phases: NDArray[np.uint8], voxel_size_um: tuple[float, float, float]) -> dict[str, Any]:
    """Every quantity of a phase map (Z, Y, X), for each of the five classes and for `lithium`, the sum of two of them.

    Returns:
        ``voxels``, ``volume_um3``, ``surface_um2`` (faces between voxels of the class and others; the ends of the field
        of view are no surface, and steps count in full: a slope of 45 degrees has sqrt 2 times its area) and
        ``components`` (joined by faces: "6"; also by edges and corners: "26"), each by class; ``capacity_mah`` of the
        lithium, were it dense, and ``capacity_mah_cm2``, per area of the cell in view; ``contact_um2``, the faces between
        lithium and electrode; and what `gaps` returns.
    """
    masks = {name: phases == phase for name, phase in CLASSES.items()} | {"lithium": np.isin(phases, LITHIUM)}
    voxels = {name: int(mask.sum()) for name, mask in masks.items()}
    volume = {name: count * math.prod(voxel_size_um) for name, count in voxels.items()}
    capacity = volume["lithium"] * MAH_PER_UM3
    in_view = len(phases) * voxel_size_um[0] * phases.shape[2] * voxel_size_um[2]  # um2
    return {
        "voxel_size_um": list(voxel_size_um),
        "voxels": voxels,
        "volume_um3": volume,
        "capacity_mah": capacity,
        "capacity_mah_cm2": capacity / (in_view * 1e-8),
        "surface_um2": {name: _area(mask, ~mask, voxel_size_um) for name, mask in masks.items()},
        "contact_um2": _area(masks["lithium"], phases == ELECTRODE, voxel_size_um),
        "components": {name: _components(mask) for name, mask in masks.items()},
        **gaps(phases, voxel_size_um),
    }


def _area(one: Mask, other: Mask, voxel_size_um: tuple[float, float, float]) -> float:
    """Of all faces that a voxel of one shares with a voxel of the other, um2."""
    area = 0.0
    for axis, size in enumerate(voxel_size_um):
        before, after = np.s_[:-1], np.s_[1:]
        a, b = np.moveaxis(one, axis, 0), np.moveaxis(other, axis, 0)
        area += int((a[before] & b[after]).sum() + (b[before] & a[after]).sum()) * math.prod(voxel_size_um) / size
    return area


def _components(mask: Mask) -> dict[str, int]:
    return {
        str(joined): int(ndimage.label(mask, ndimage.generate_binary_structure(3, rank))[1])
        for joined, rank in ((6, 1), (26, 3))
    }

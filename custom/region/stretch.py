"""How much a region's map stretches its voxels, and where most."""

from __future__ import annotations

from itertools import product

import numpy as np

from custom.base.errors import BadInput
from custom.region.region_map import RegionMap

MOST = 2.0  # times longer or shorter than a raw voxel; beyond it detail is lost or made up
_PLACES = 9  # along each axis; what a map is made of has no finer structure


def steps_of(region_map: RegionMap, points: np.ndarray) -> np.ndarray:
    """The Jacobian of the map at points (..., 3): float64 (..., 3, 3), raw axes by axes of the region."""
    columns = []
    for axis in range(3):
        half = np.eye(3)[axis] / 2
        columns.append(region_map.forward(points + half) - region_map.forward(points - half))
    return np.stack(columns, axis=-1)


def mean_steps(region_map: RegionMap) -> tuple[float, float, float]:
    """Length of a step along z, y and x of the region in voxels of the raw grid, on average."""
    z, y, x = np.linalg.norm(steps_of(region_map, _lattice(region_map)), axis=-2).mean(axis=0)
    return float(z), float(y), float(x)


def check_stretch(region_map: RegionMap, name: str) -> None:
    """Refuse a map that stretches a voxel by more than a factor of `MOST`, or squeezes it, in any direction.

    Raises:
        BadInput: names the place, the factor and the cure.
    """
    points = _lattice(region_map)
    sizes = np.linalg.svd(steps_of(region_map, points), compute_uv=False)
    largest, smallest = sizes[:, 0], sizes[:, -1]
    worst = int(np.argmax(np.maximum(largest, 1 / np.maximum(smallest, 1e-9))))
    if largest[worst] <= MOST * 1.001 and smallest[worst] >= 1 / MOST / 1.001:
        return
    stretched = largest[worst] > MOST
    factor = largest[worst] if stretched else 1 / max(smallest[worst], 1e-9)
    at, raw = points[worst], region_map.forward(points[worst])
    steps = " x ".join(f"{step:.3g}" for step in mean_steps(region_map))
    raise BadInput(
        f"{name}: the map {'squeezes' if stretched else 'stretches'} voxels by a factor of {factor:.3g} at {_shown(at)} of "
        f"the region, which is {_shown(raw)} of the volume, and {MOST:g} is the most (steps of {steps} raw voxels on "
        "average); set corners that make a box there, and a shape near their distances, or leave the shape away."
    )


def _lattice(region_map: RegionMap) -> np.ndarray:
    lines = (np.linspace(0, length - 1, min(length, _PLACES)) for length in region_map.shape)
    return np.array(list(product(*lines)))


def _shown(point: np.ndarray) -> str:
    return "(z {:.0f}, y {:.0f}, x {:.0f})".format(*point)

"""What is written of a cell's contents, against counts by scikit-image, a k-d tree and sums by hand."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.spatial import cKDTree
from skimage.measure import label as label_pieces

from custom.phantom.cell import VOXEL_SIZE_UM
from custom.phantom.hard_phases import hard_map
from custom.phantom.hard_shape import HardParameters
from custom.phantom.layers import EDGE, CellParameters
from custom.phantom.phases import phase_map
from custom.phantom.site import TEST, TRAINING
from custom.phantom.truth import truth

NAMES = {"electrode": [1], "pit": [3], "dendrite": [4], "redeposited": [5], "impurity": [6], "lithium": [4, 5]}


def faces(one: np.ndarray, other: np.ndarray, size: tuple[float, float, float]) -> float:
    """Neighbours of each voxel of `one` that lie in `other`, found by shifting, times the area of their face."""
    found = 0.0
    for axis, area in enumerate((size[1] * size[2], size[0] * size[2], size[0] * size[1])):
        for step in (1, -1):
            shifted = np.roll(other, step, axis)
            np.moveaxis(shifted, axis, 0)[0 if step == 1 else -1] = False
            found += int((one & shifted).sum()) * area
    return found


def nearest(one: np.ndarray, other: np.ndarray, size: tuple[float, float, float]) -> float:
    return float(cKDTree(np.argwhere(one) * size).query(np.argwhere(other) * size)[0].min())


def counted(phases: np.ndarray, size: tuple[float, float, float]) -> dict[str, Any]:
    """Every quantity of a phase map again, by other means."""
    masks = {name: np.isin(phases, of) for name, of in NAMES.items()}
    voxels = {name: int(np.count_nonzero(mask)) for name, mask in masks.items()}
    volume = {name: n * size[0] * size[1] * size[2] for name, n in voxels.items()}
    capacity = volume["lithium"] * 1e-12 * 0.534 * 3860
    half = np.arange(phases.shape[1])[:, None] < phases.shape[1] // 2
    upper, lower, dead = masks["electrode"] & half, masks["electrode"] & ~half, masks["lithium"]
    pieces = {joined: label_pieces(masks["electrode"] | dead, connectivity=rank) for joined, rank in ((6, 1), (26, 3))}
    joined_to = {j: (np.isin(p, p[upper]), np.isin(p, p[lower])) for j, p in pieces.items()}
    return {
        "voxel_size_um": list(size),
        "voxels": voxels,
        "volume_um3": volume,
        "capacity_mah": capacity,
        "capacity_mah_cm2": capacity / (phases.shape[0] * size[0] * 1e-4 * phases.shape[2] * size[2] * 1e-4),
        "surface_um2": {name: faces(mask, ~mask, size) for name, mask in masks.items()},
        "contact_um2": faces(masks["lithium"], masks["electrode"], size),
        "components": {
            name: {str(j): int(label_pieces(mask, connectivity=rank).max()) for j, rank in ((6, 1), (26, 3))}
            for name, mask in masks.items()
        },
        "electrodes_um": nearest(upper, lower, size),
        "gap_um": nearest(*joined_to[26], size),
        "bridged": {str(j): bool((up & down).any()) for j, (up, down) in joined_to.items()},
        "without_contact": int(label_pieces(dead & ~joined_to[26][0] & ~joined_to[26][1], connectivity=3).max()),
    }


def same(found: Any, expected: Any) -> bool:
    """Numbers to the last digits of a float; counts, names and yes or no exactly."""
    if isinstance(expected, dict):
        return found.keys() == expected.keys() and all(same(found[key], expected[key]) for key in expected)
    return bool(found == pytest.approx(expected, rel=1e-12)) and type(found) is type(expected)


def default_phases(seed: int) -> tuple[np.ndarray, float]:
    parameters = CellParameters.draw(np.random.default_rng(seed), seed)
    return phase_map(parameters, np.random.default_rng(seed), 3), VOXEL_SIZE_UM


def hard_phases(seed: int) -> tuple[np.ndarray, float]:
    size = (TRAINING, TEST)[seed % 2].voxel_size_um
    parameters = HardParameters.draw_hard(np.random.default_rng(seed), seed, size)
    return hard_map(parameters, np.random.default_rng(seed), 3)[0], size


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("family", [default_phases, hard_phases])
def test_it_agrees_with_an_independent_count(family: Callable[[int], tuple[np.ndarray, float]], seed: int) -> None:
    whole, size = family(seed)
    phases = whole[:, :, EDGE : EDGE + 160]
    assert same(truth(phases, (size,) * 3), counted(phases, (size,) * 3))


def two_electrodes(middle: list[tuple[int, int]]) -> np.ndarray:
    """A slice between two electrodes of two rows each, six rows apart; dendrite at (y, x)."""
    phases = np.full((1, 10, 8), 2, np.uint8)
    phases[:, :2] = phases[:, -2:] = 1
    for y, x in middle:
        phases[0, y, x] = 4
    return phases


@pytest.mark.parametrize(
    ("middle", "gap", "bridged", "without_contact"),
    [
        ([], 7.0, (False, False), 0),
        ([(4, 3)], 7.0, (False, False), 1),
        ([(2, 3), (3, 3)], 5.0, (False, False), 0),
        ([(2, 3), (3, 4), (6, 7), (7, 7)], np.sqrt(9 + 9), (False, False), 0),
        ([(y, 3 + y % 2) for y in range(2, 8)], 0.0, (False, True), 0),
        ([(y, 5) for y in range(2, 8)], 0.0, (True, True), 0),
    ],
)
def test_gap_bridge_and_dead_lithium_of_drawn_slices(
    middle: list[tuple[int, int]], gap: float, bridged: tuple[bool, bool], without_contact: int
) -> None:
    found = truth(two_electrodes(middle), (2.0, 2.0, 2.0))
    assert found["electrodes_um"] == 14.0 and found["gap_um"] == pytest.approx(2 * gap)
    assert (found["bridged"]["6"], found["bridged"]["26"]) == bridged and found["without_contact"] == without_contact


def test_sizes_along_the_axes_are_heeded() -> None:
    phases = two_electrodes([(2, 3), (3, 3), (3, 4)])
    found, size = truth(phases, (3.0, 2.0, 5.0)), (3.0, 2.0, 5.0)
    assert same(found, counted(phases, size))
    # three voxels of 3 x 2 x 5; sides: along y 2 faces down, 1 up to polymer and 1 to the electrode, along x 2 + 2
    assert found["volume_um3"]["lithium"] == 90 and found["surface_um2"]["lithium"] == 4 * 15 + 4 * 6
    assert found["contact_um2"] == 15 and found["capacity_mah"] == pytest.approx(90e-12 * 0.534 * 3860)


def test_a_missing_electrode_has_no_gap() -> None:
    phases = two_electrodes([])
    phases[:, -2:] = 0
    found = truth(phases, (1.0, 1.0, 1.0))
    assert found["gap_um"] is None and found["electrodes_um"] is None and found["bridged"] == {"6": False, "26": False}

"""Bodies whose figures are formulas, voxelised by the middles of voxels and measured as a cell is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from custom.electrodes.electrodes import Electrodes
from custom.electrodes.given import electrodes_given
from custom.electrodes.surface import Surface
from custom.measuring.coarse import Coarse
from custom.measuring.coarse_figures import coarse_figures
from custom.measuring.opening import open_cell
from custom.measuring.quantities import Quantities
from custom.measuring.reading import Cell
from custom.stack import open_stack, slabs

Lengths = tuple[float, float, float]
SIZES: list[Lengths] = [(1.33, 1.33, 1.33), (2.0, 1.0, 1.0), (0.7, 1.3, 1.0)]
MAH_PER_UM3 = 3860 * 0.534e-12
MARGIN = 6.0  # um, between bodies and the sides of the stack
PI = np.pi


def places(reach: np.ndarray, size: Lengths, off: np.ndarray) -> list[np.ndarray]:
    """z, y, x in um of the middles of voxels, from a body's middle, for which there is room up to `reach`; off-centre."""
    shape = [int(np.ceil(2 * (along + MARGIN) / side)) for along, side in zip(reach, size, strict=True)]
    return [
        ((np.arange(n) + 0.5 - n / 2 - shift) * side).reshape([-1 if k == axis else 1 for k in range(3)])
        for axis, (n, side, shift) in enumerate(zip(shape, size, off, strict=True))
    ]


def measured(body: np.ndarray, size: Lengths, folder: Path, electrodes: Any = None) -> dict[str, Any]:
    """All figures of a body in um, its electrodes 2 voxels from the sides of the stack along y unless they are given."""
    np.save(folder / "mask.npy", body.astype(np.uint8))
    electrodes = electrodes or electrodes_given([2, body.shape[1] - 2], 1)
    cell = Cell(open_stack(folder / "mask.npy", size), (1,), None, electrodes, size)
    quantities = Quantities(cell, ())
    for slab in cell.slabs(slabs(cell.mask, 13)):
        quantities.add(slab.start, quantities.of_slab(slab))
    told: dict[str, Any] = {}
    for quantity in quantities:
        told |= quantity.result(size)
    return told | coarse_figures(quantities.one(Coarse).cell(), None, "um")[0]


def check(told: dict[str, Any], volume: float, surface: float, size: Lengths, thickness: float | None) -> None:
    """The bounds that the documents state."""
    assert told["lithium_um3"] == pytest.approx(volume, rel=5e-3)
    assert told["lithium_capacity_mAh"] == pytest.approx(volume * MAH_PER_UM3, rel=5e-3)
    capacity = volume / told["electrode_area_um2"] * MAH_PER_UM3 * 1e8
    assert told["areal_capacity_mAh_cm2"] == pytest.approx(capacity, rel=5e-3)
    assert told["surface_area_um2"] == pytest.approx(surface, rel=0.03)
    if thickness is not None:
        for name in ("mean", "median"):
            assert told[f"local_thickness_{name}_um"] == pytest.approx(thickness, abs=max(size))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("seed", "voxels"), [(0, 10), (1, 12), (2, 16)])
def test_balls(seed: int, voxels: int, size: Lengths, tmp_path: Path) -> None:
    radius, off = voxels * max(size), np.random.default_rng(seed).uniform(-0.5, 0.5, 3)
    z, y, x = places(np.full(3, radius), size, off)
    told = measured(z**2 + y**2 + x**2 < radius**2, size, tmp_path)
    check(told, 4 / 3 * PI * radius**3, 4 * PI * radius**2, size, 2 * radius)
    # the stack's middle lies deepest; half the way between the electrodes less half a voxel, which the ball reaches beyond
    middle = (y.size / 2 - 2) * size[1]
    assert told["penetration_depth_um"] == pytest.approx(middle, abs=size[1])
    assert told["agglomerates"] == told["dead_agglomerates"] == 1


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("voxels", [6, 8])
@pytest.mark.parametrize("direction", [(1, 0.3, 0.17), (0.3, 1, 0.25), (0.9, 0.1, 1)])
def test_rods(voxels: int, direction: Lengths, size: Lengths, tmp_path: Path) -> None:
    radius, half = voxels * max(size), 24 * max(size)
    axis = np.array(direction) / np.linalg.norm(direction)
    z, y, x = places(abs(axis) * half + radius, size, np.array([0.2, -0.3, 0.1]))
    along = z * axis[0] + y * axis[1] + x * axis[2]
    rod = (abs(along) < half) & (z**2 + y**2 + x**2 - along**2 < radius**2)
    told = measured(rod, size, tmp_path)
    area = 2 * PI * radius * 2 * half + 2 * PI * radius**2
    check(told, PI * radius**2 * 2 * half, area, size, 2 * radius)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("direction", [(0.1, 1, 0.05), (-0.6, 0.7, 0.4)])
def test_cones(direction: Lengths, size: Lengths, tmp_path: Path) -> None:
    base, height = 20 * max(size), 40 * max(size)
    axis = np.array(direction) / np.linalg.norm(direction)
    z, y, x = places(abs(axis) * height / 2 + base, size, np.array([-0.1, 0.4, 0.3]))
    up = z * axis[0] + y * axis[1] + x * axis[2] + height / 2
    across = np.sqrt(np.maximum(z**2 + y**2 + x**2 - (up - height / 2) ** 2, 0))
    told = measured((up > 0) & (up < height) & (across < base * (1 - up / height)), size, tmp_path)
    area = PI * base**2 + PI * base * np.hypot(base, height)
    check(told, PI * base**2 * height / 3, area, size, None)
    # the largest ball within a cone: its radius is that of the circle in the triangle that the cone is from the side
    largest = 2 * base * height / (base + np.hypot(base, height))
    assert told["local_thickness_largest_um"] == pytest.approx(largest, abs=max(size))


@pytest.mark.parametrize("size", SIZES)
def test_a_dendrite_of_balls(size: Lengths, tmp_path: Path) -> None:
    """Balls that overlap their neighbours alone, along a bent line, each thinner: their lenses are known."""
    radii = np.array([14.0, 12, 10, 8]) * max(size)
    steps = (radii[:-1] + radii[1:]) * 0.8
    turns = np.array([(0.2, 0.97, 0.1), (-0.3, 0.9, 0.3), (0.5, 0.8, -0.33)])
    turns /= np.linalg.norm(turns, axis=1)[:, None]
    middles = np.concatenate([np.zeros((1, 3)), np.cumsum(turns * steps[:, None], axis=0)])
    low, high = (middles - radii[:, None]).min(axis=0), (middles + radii[:, None]).max(axis=0)
    z, y, x = places((high - low) / 2, size, np.array([0.3, 0.1, -0.4]))
    body = np.zeros((z.size, y.size, x.size), bool)
    for middle, radius in zip(middles - (high + low) / 2, radii, strict=True):
        body |= (z - middle[0]) ** 2 + (y - middle[1]) ** 2 + (x - middle[2]) ** 2 < radius**2
    volume, area = (4 / 3 * PI * radii**3).sum(), (4 * PI * radii**2).sum()
    for a, b, apart in zip(radii[:-1], radii[1:], steps, strict=True):
        for radius, other in ((a, b), (b, a)):
            cap = radius - (apart**2 + radius**2 - other**2) / (2 * apart)
            volume -= PI * cap**2 * (3 * radius - cap) / 3
            area -= 2 * PI * radius * cap
    told = measured(body, size, tmp_path)
    check(told, volume, area, size, None)
    assert told["agglomerates"] == 1
    assert told["local_thickness_largest_um"] == pytest.approx(2 * radii[0], abs=max(size))


SHAPE = (110, 96, 130)
SLOPES = (0.06, -0.09)  # voxels of y per voxel of z and x


def tilted(height: float) -> np.ndarray:
    """y (Z, 1, X) in voxels, halfway along z and x."""
    z, x = np.arange(SHAPE[0])[:, None, None], np.arange(SHAPE[2])
    return np.asarray(height + SLOPES[0] * (z - SHAPE[0] / 2) + SLOPES[1] * (x - SHAPE[2] / 2))


def given(size: Lengths, folder: Path) -> Electrodes:
    """Planes at 20.3 and 80.7, from a file."""
    start = [height - SLOPES[0] * SHAPE[0] / 2 - SLOPES[1] * SHAPE[2] / 2 for height in (20.3, 80.7)]
    (folder / "planes.json").write_text(
        json.dumps({"axis": "y", "planes": [{"height": height, "slope": SLOPES} for height in start]})
    )
    return electrodes_given(folder / "planes.json", 1)


@pytest.mark.parametrize("size", SIZES)
def test_a_tilted_slab_between_tilted_electrodes(size: Lengths, tmp_path: Path) -> None:
    """It lies on the first electrode and ends 13.4 voxels of y above: all figures are those of a film."""
    y = np.arange(SHAPE[1])[None, :, None] + 0.5
    film = (y > tilted(20.3)) & (y < tilted(33.7))
    electrodes = given(size, tmp_path)
    told = measured(film, size, tmp_path, electrodes)
    normal = np.array([-SLOPES[0] / size[0], 1 / size[1], -SLOPES[1] / size[2]])
    thickness = 13.4 / np.linalg.norm(normal)
    # the electrodes' area is known of the planes, and a slab that follows them has its thickness everywhere
    assert told["effective_thickness_um"] == pytest.approx(thickness, rel=5e-3)
    assert told["areal_capacity_mAh_cm2"] == pytest.approx(thickness / 4.8515, rel=5e-3)
    assert told["penetration_depth_um"] == pytest.approx(thickness, abs=size[1])
    area = 2 * SHAPE[0] * size[0] * SHAPE[2] * size[2] * size[1] * np.linalg.norm(normal)
    assert told["surface_area_um2"] == pytest.approx(area, rel=0.03)
    assert told["local_thickness_median_um"] == pytest.approx(thickness, abs=max(size))
    distances = electrodes.distances(0, SHAPE[0], SHAPE, size)
    assert np.abs(distances.sum(axis=0) - 60.4 / np.linalg.norm(normal)).max() < 1e-3
    assert electrodes.tilts(size)[0] == pytest.approx(np.degrees(np.arccos(normal[1] / np.linalg.norm(normal))))


@pytest.mark.parametrize("by", ["class", "grey"])
@pytest.mark.parametrize("size", SIZES[:2])
def test_electrodes_are_found_where_they_are(by: str, size: Lengths, tmp_path: Path) -> None:
    """From a mask with a class, and from grey values with noise of a third of the step between them."""
    y = np.arange(SHAPE[1])[None, :, None] + 0.5
    electrode = (y < tilted(20.3)) | (y > tilted(80.7))
    film = ~electrode & (y < tilted(33.7)) & (np.arange(SHAPE[2]) < 20)
    np.save(tmp_path / "mask.npy", (film + 2 * electrode * (by == "class")).astype(np.uint8))
    share = np.clip(tilted(20.3) - y + 0.5, 0, 1) + np.clip(y + 0.5 - tilted(80.7), 0, 1)
    noise = np.random.default_rng(0).normal(0, 1000, SHAPE)
    np.save(tmp_path / "grey.npy", (12000 - 3000 * np.where(film, 1, share) + noise).astype(np.float32))
    how: dict[str, Any] = {"classes": ("lithium", "electrode")} if by == "class" else {"stack": tmp_path / "grey.npy"}
    found = open_cell(tmp_path / "mask.npy", voxel_size_um=size, **how).electrodes
    assert found is not None
    z, x = np.arange(SHAPE[0]), np.arange(SHAPE[2])
    exact = given(size, tmp_path)
    for one, other in zip(found.surfaces, exact.surfaces, strict=True):
        plane = Surface(one.slope, one.height, np.zeros((1, 1), np.float32))
        assert np.abs(plane.heights(z, x) - other.heights(z, x)).max() < 0.25
        assert np.abs(one.heights(z, x) - other.heights(z, x)).mean() < 0.25
        between = float(np.clip(one.normal(size, 1) @ other.normal(size, 1), -1, 1))
        assert np.degrees(np.arccos(between)) < 0.05

"""Surfaces found in masks and grey stacks whose electrodes are known by a formula, and the depth between them."""

from __future__ import annotations

import numpy as np
import pytest

from custom.electrodes.electrodes import Electrodes
from custom.electrodes.fitting import fit_surface, roughness
from custom.electrodes.from_class import electrodes_of_class
from custom.electrodes.from_grey import electrodes_of_grey
from custom.electrodes.surface import Surface
from custom.electrodes.thinned import thinned

SHAPE = (120, 90, 150)
FLAT = np.zeros((1, 1), np.float32)


class InMemory:
    def __init__(self, voxels: np.ndarray) -> None:
        self.voxels, self.shape, self.dtype = voxels, voxels.shape, voxels.dtype

    def read(self, start: int, stop: int) -> np.ndarray:
        return self.voxels[start:stop]


def heights(degrees: tuple[float, float], height: float, wave: float = 0.0) -> np.ndarray:
    """(Z, X), tilted along z and x about the middle."""
    z, x = np.indices((SHAPE[0], SHAPE[2]))
    slopes = np.tan(np.radians(degrees))
    plane = height + slopes[0] * (z - SHAPE[0] / 2) + slopes[1] * (x - SHAPE[2] / 2)
    return np.asarray(plane + wave * np.sin(2 * np.pi * x / 75) * np.cos(2 * np.pi * z / 120))


def cell(low: np.ndarray, high: np.ndarray, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Electrode by its share of each voxel, and a grey stack with a dendrite, pits, blur and noise."""
    y = np.arange(SHAPE[1])[None, :, None]
    share = np.clip(low[:, None] - y, 0, 1) + np.clip(y + 1 - high[:, None], 0, 1)
    lithium = share.copy()
    rng = np.random.default_rng(seed)
    for _ in range(12):
        z, x = rng.integers(0, SHAPE[0]), rng.integers(0, SHAPE[2])
        lithium[max(z - 3, 0) : z + 3, 10:45, max(x - 3, 0) : x + 3] = 1
        share[max(z - 4, 0) : z + 4, 15:30, max(x - 4, 0) : x + 4] = 0  # a pit
    grey = 3000 * (1 - lithium) + 8000 + rng.normal(0, 700, SHAPE)
    return share, grey


def at(surface: Surface) -> np.ndarray:
    return surface.heights(np.arange(SHAPE[0]), np.arange(SHAPE[2]))


@pytest.mark.parametrize("degrees", [(0.0, 0.0), (1.5, -2.0), (-3.0, 0.7)])
@pytest.mark.parametrize("by", ["class", "grey"])
def test_tilted_planes(degrees: tuple[float, float], by: str) -> None:
    wanted = heights(degrees, 21.2), heights((degrees[1], degrees[0]), 70.8)
    share, grey = cell(*wanted)
    if by == "class":
        found = electrodes_of_class(thinned(InMemory(share >= 0.5), 1), 1)
    else:
        found = electrodes_of_grey(thinned(InMemory(grey.round().astype(np.uint16)), 1), 1)
    assert found is not None
    for surface, expected in zip(found.surfaces, wanted, strict=True):
        assert abs((at(surface) - expected).mean()) < 0.25 and np.abs(at(surface) - expected).mean() < 0.3
    for surface, (first, second) in zip(found.surfaces, (degrees, degrees[::-1]), strict=True):
        assert np.degrees(np.arctan(surface.slope)) == pytest.approx((first, second), abs=0.05)


def test_waves_and_roughness() -> None:
    wanted = heights((1, 1), 22, 2.5), heights((1, 1), 66, 2.5)
    found = electrodes_of_class(thinned(InMemory(cell(*wanted)[0] >= 0.5), 1), 1)
    assert found is not None
    for surface, expected in zip(found.surfaces, wanted, strict=True):
        apart = np.abs(at(surface) - expected)
        # but for pits that no class tells of: of 8 x 8 columns, each .4 % of the surface
        assert np.quantile(apart, 0.98) < 1 and apart.mean() < 0.25
        assert roughness(surface)[1] == pytest.approx(2.5 / 2, rel=0.15)


def test_waves_of_two_dozen_voxels_under_specks() -> None:
    z, x = np.indices((SHAPE[0], SHAPE[2]))
    short = 1.5 * np.sin(2 * np.pi * x / 25) * np.cos(2 * np.pi * z / 30)
    wanted = heights((1, -1), 22) + short, heights((1, -1), 66) - short
    y = np.arange(SHAPE[1])[None, :, None] + 0.5
    electrode = (y < wanted[0][:, None]) | (y > wanted[1][:, None])
    rng = np.random.default_rng(0)
    specks = rng.random((SHAPE[0], SHAPE[2])) < 0.02
    electrode[:, 30][specks] = electrode[:, 55][specks] = True
    found = electrodes_of_class(thinned(InMemory(electrode), 1), 1)
    assert found is not None
    for surface, expected in zip(found.surfaces, wanted, strict=True):
        apart = np.abs(at(surface) - expected)
        assert apart.mean() < 0.15 and apart.max() < 1


def test_the_plane_of_a_short_stack_is_that_of_all_heights() -> None:
    z, x = np.indices((24, 300))
    low = 20 + 0.03 * z + 1.6 * np.sin(2 * np.pi * x / 47 + z / 9) * np.cos(2 * np.pi * z / 40)
    y = np.arange(SHAPE[1])[None, :, None] + 0.5
    electrode = (y < low[:, None]) | (y > 95 - low[:, None])
    found = electrodes_of_class(thinned(InMemory(electrode), 1), 1)
    assert found is not None
    design = np.stack([np.ones(z.size), z.ravel(), x.ravel()], axis=1)
    for heights, surface in zip((low, 95 - low), found.surfaces, strict=True):
        # a voxel tells a height to its half; with so few slices that is .05 degrees more
        of_voxels, true = (
            np.linalg.lstsq(design, one.ravel(), rcond=None)[0][1:] for one in (heights.round(), heights)
        )
        np.testing.assert_allclose(np.degrees(np.arctan(surface.slope)), np.degrees(np.arctan(of_voxels)), atol=1e-3)
        np.testing.assert_allclose(np.degrees(np.arctan(surface.slope)), np.degrees(np.arctan(true)), atol=0.1)


@pytest.mark.parametrize("electrolyte", [0, 4])
def test_the_surface_goes_on_over_what_is_sunk_into_an_electrode(electrolyte: int) -> None:
    wanted = heights((1, -1), 22), heights((0.5, 0), 66)
    y = np.arange(SHAPE[1])[None, :, None] + 0.5
    classes = np.where((y < wanted[0][:, None]) | (y > wanted[1][:, None]), 1, electrolyte).astype(np.uint8)
    classes[40:60, 14:24, 50:75] = 3  # as wide as waves are
    classes[80:100, 20:26, 90:110] = 2  # lithium takes none of an electrode
    found = electrodes_of_class(thinned(InMemory(classes), 1), 1, (1,), (0, 2))
    assert found is not None
    for surface, expected in zip(found.surfaces, wanted, strict=True):
        apart = np.abs(at(surface) - expected)
        apart[80:100, 90:110] = 0
        assert apart.max() < 1 and apart.mean() < 0.25


@pytest.mark.parametrize("axis", [0, 2])
def test_any_axis_may_lead_through_the_thickness(axis: int) -> None:
    share, _ = cell(heights((1, -1), 20), heights((0.5, 0), 68))
    turned = np.moveaxis(share >= 0.5, 1, axis)
    found = electrodes_of_class(thinned(InMemory(turned), axis), axis)
    usual = electrodes_of_class(thinned(InMemory(share >= 0.5), 1), 1)
    assert found is not None and usual is not None
    np.testing.assert_allclose([one.height for one in found.surfaces], [one.height for one in usual.surfaces], atol=0.1)
    size = (1.0, 2.0, 3.0)
    its_size = {0: (2.0, 1.0, 3.0), 2: (1.0, 3.0, 2.0)}[axis]
    distances = found.distances(0, turned.shape[0], turned.shape, its_size)
    expected = usual.distances(0, SHAPE[0], SHAPE, size)
    np.testing.assert_allclose(np.moveaxis(distances, axis + 1, 2), expected, atol=0.5)


def test_the_distance_from_a_tilted_plane_is_exact() -> None:
    size = (2.0, 0.5, 1.0)
    surface = Surface((0.3, -0.2), 40.0, FLAT)
    both = Electrodes(1, (surface, Surface((0.3, -0.2), 70.0, FLAT)), "given")
    found = both.distances(3, 6, (10, 90, 12), size)
    z, y, x = np.meshgrid(np.arange(3, 6), np.arange(90), np.arange(12), indexing="ij")
    # the plane y = 40 + .3 z - .2 x in um, by its normal
    normal = np.array([-0.3 / 2.0, 1 / 0.5, 0.2 / 1.0])
    exact = (normal[0] * z * 2.0 + normal[1] * (y + 0.5 - 40) * 0.5 + normal[2] * x * 1.0) / np.linalg.norm(normal)
    np.testing.assert_allclose(found[0], exact, atol=1e-4)
    np.testing.assert_allclose(found[0] + found[1], 15 * normal[1] / np.linalg.norm(normal), atol=1e-4)
    assert both.apart((10, 90, 12), size) == pytest.approx(15)


def test_where_there_are_no_two_electrodes() -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(1000, 50, SHAPE).astype(np.float32)
    assert electrodes_of_grey(thinned(InMemory(noise), 1), 1) is None
    one = np.zeros(SHAPE, bool)
    one[:, :20] = True
    assert electrodes_of_class(thinned(InMemory(one), 1), 1) is None
    assert electrodes_of_class(thinned(InMemory(np.zeros(SHAPE, bool)), 1), 1) is None


def test_a_plane_through_heights_of_which_a_third_is_wrong() -> None:
    rng = np.random.default_rng(0)
    rows, columns = np.arange(0, 100, 5.0), np.arange(2, 130, 4.0)
    clean = 30 + 0.02 * rows[:, None] - 0.01 * columns
    spoilt = clean + rng.normal(0, 0.2, clean.shape)
    spoilt[rng.random(clean.shape) < 0.33] += 15
    spoilt[3, 4] = np.nan
    found = fit_surface(spoilt, (rows, columns), None)
    np.testing.assert_allclose(found.slope, (0.02, -0.01), atol=5e-4)
    assert found.height == pytest.approx(30, abs=0.1)

"""What lies outside a reconstruction: found by value and outline, never within noise; and filled with what is nearest."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from custom.stack import EdgeFill, grey_window, outside
from custom.stack.surround import SurroundSearch

SIDE = 120
Y, X = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
CIRCLE = Y**2 + X**2 > (SIDE / 2) ** 2
STRIP = np.zeros((SIDE, SIDE), bool)
STRIP[:30] = True
CORNER = Y + X > 0.8 * SIDE
OUTLINES = {"circle": CIRCLE, "strip": STRIP, "corner": CORNER}


def find_surround(planes: np.ndarray) -> tuple[float, ...]:
    """What a search finds in slices (Z, Y, X)."""
    search = SurroundSearch()
    for plane in planes:
        search.look(plane)
    return search.found()


def noisy(dtype: str, seed: int = 0) -> np.ndarray:
    """Material (4, Y, X) with three grey levels and noise of several values, none of them cut off."""
    rng = np.random.default_rng(seed)
    smooth = ndimage.gaussian_filter(rng.normal(size=(4, SIDE, SIDE)), (0, 6, 6))
    level = np.digitize(smooth, np.quantile(smooth, (0.3, 0.8)))
    grey = 80 + 40 * level + rng.normal(0, 8, smooth.shape)
    scale, shift = {"uint8": (1, 0), "uint16": (150, 30000), "float32": (1e-4, -0.012)}[dtype]
    return (grey * scale + shift).astype(dtype)


@pytest.mark.parametrize("outline", OUTLINES)
@pytest.mark.parametrize(
    ("dtype", "value"),
    [("uint8", 0), ("uint8", 255), ("uint16", 0), ("float32", 0), ("float32", -1000), ("float32", np.nan)],
)
def test_a_surround_is_found_and_leaves_the_window_alone(dtype: str, value: float, outline: str) -> None:
    region = OUTLINES[outline]
    material = noisy(dtype)
    surrounded = material.copy()
    surrounded[:, region] = value
    window = grey_window(surrounded)
    np.testing.assert_equal(window.surround, (value,))
    np.testing.assert_array_equal(outside(surrounded[2], window.surround), region)
    expected = np.percentile(material[:, ~region], (0.5, 99.5))
    np.testing.assert_allclose((window.lower, window.upper), expected, rtol=2e-6)


def test_slices_that_are_each_filled_with_their_own_mean() -> None:
    surrounded = np.concatenate([noisy("float32", seed) for seed in range(10)])
    material = surrounded[:, ~CIRCLE].copy()
    for plane in surrounded:
        plane[CIRCLE] = plane[~CIRCLE].mean()
    window = grey_window(surrounded)
    assert len(window.surround) == len(surrounded)
    assert all(np.array_equal(outside(plane, window.surround), CIRCLE) for plane in surrounded)
    np.testing.assert_allclose((window.lower, window.upper), np.percentile(material, (0.5, 99.5)), rtol=2e-6)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_noise_has_no_surround(dtype: str) -> None:
    assert find_surround(noisy(dtype)) == ()


def test_dark_noise_that_was_cut_off_at_0_belongs_to_the_material() -> None:
    dark = np.random.default_rng(0).normal(2, 4, (2, SIDE, SIDE)).clip(0, 255).astype(np.uint8)
    assert (dark == 0).mean() > 0.3
    assert find_surround(dark) == ()


def test_a_simulation_without_noise_keeps_its_background() -> None:
    flat = np.zeros((2, SIDE, SIDE), np.uint8)
    flat[:, 20:50, 30:90] = 100
    flat[:, 70:80, 10:100] = 200
    assert find_surround(flat) == ()
    flat[:, ~CIRCLE] += 50  # but what lies outside a disc is none
    assert find_surround(flat) == (0.0,)


def test_slices_of_nothing_lie_outside() -> None:
    padded = np.concatenate([noisy("uint16"), np.zeros((2, SIDE, SIDE), np.uint16)])
    window = grey_window(padded)
    assert window.surround == (0.0,) and window.lower > 30000
    assert outside(padded[5], window.surround).all()  # type: ignore[union-attr]
    assert find_surround(np.zeros((3, SIDE, SIDE))) == ()


def expected_beyond(plane: np.ndarray, outermost: int) -> np.ndarray:
    """(Y,): of a strip of columns, the mean beside its last by a Gaussian of 1 voxel."""
    material = np.arange(plane.shape[1]) < outermost
    along_x = ndimage.gaussian_filter1d(plane * material, 1.0, axis=1)[:, outermost - 1]
    weight = ndimage.gaussian_filter1d(material.astype(float), 1.0)[outermost - 1]
    return np.asarray(ndimage.gaussian_filter1d(along_x, 1.0, mode="mirror") / weight)


@pytest.mark.parametrize(("share", "outermost"), [(0.0, 80), (0.1, 80), (0.5, 79), (0.9, 79)])
def test_beyond_a_strip_its_last_mean_goes_on(share: float, outermost: int) -> None:
    """Outermost voxels that are a mixture are filled too, as where a program interpolated across the outline."""
    plane = noisy("float32")[0]
    plane[:, 80:] = -0.1
    plane[:, 79] += share * (-0.1 - plane[:, 79])
    filled = plane.copy()
    EdgeFill(reach=30)(filled, np.broadcast_to(np.arange(SIDE) >= 80, plane.shape), beyond=7.0)
    np.testing.assert_array_equal(filled[:, :outermost], plane[:, :outermost])
    beyond = np.broadcast_to(expected_beyond(plane, outermost)[:, None], (SIDE, 30))
    np.testing.assert_allclose(filled[:, outermost : outermost + 30], beyond, rtol=1e-3)
    assert (filled[:, outermost + 30 :] == 7.0).all()


def test_beyond_a_disc_its_outermost_material_goes_on_outwards() -> None:
    """Where each voxel holds its direction from the centre, it holds it beyond the outline too."""
    y, x = np.indices((160, 170)) - 80.0
    distance, direction = np.hypot(y, x), np.arctan2(y, x)
    region = distance > 50
    for part in (np.sin, np.cos):
        filled = part(direction)
        EdgeFill(reach=30)(filled, region, beyond=-9.0)
        reached = region & (distance < 78)
        error = (filled - part(direction))[reached]
        assert abs(error).max() < 0.15 and abs(error).mean() < 0.03 and (filled[distance > 82] == -9).all()


@pytest.mark.parametrize("width", [1, 3, 10])
def test_every_filling_is_material_however_thin(width: int) -> None:
    region = np.ones((SIDE, SIDE), bool)
    region[50 : 52 + width, 20:70] = False
    plane = np.where(region, -1.0, 5.0)
    EdgeFill()(plane, region, beyond=0.0)
    np.testing.assert_allclose(plane, 5.0, rtol=1e-5)


def test_the_next_outline_is_found_anew() -> None:
    fill = EdgeFill()
    for region in (CIRCLE, CORNER, CIRCLE):
        plane = np.where(region, -1.0, 5.0)
        fill(plane, region, beyond=5.0)
        np.testing.assert_allclose(plane, 5.0, rtol=1e-5)

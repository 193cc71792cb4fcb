"""Surrounds with an edge of their own: smoothed after the masking, within a frame, or not quite of one value."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage
from test_surround import CIRCLE, SIDE, noisy

from custom.stack import grey_window, outside

INNER = np.zeros((SIDE, SIDE), bool)
INNER[8:-8, 8:-8] = True
DEEP = ndimage.binary_erosion(~CIRCLE, iterations=8)


@pytest.mark.parametrize("sigma", [0.7, 1.0, 1.5])
@pytest.mark.parametrize(("dtype", "fill"), [("float32", -0.1), ("uint16", 0), ("uint16", 65535)])
def test_a_smoothed_edge_is_outside_and_the_window_the_materials(dtype: str, fill: float, sigma: float) -> None:
    material = noisy(dtype)
    masked = np.where(CIRCLE, np.array(fill, dtype), material).astype(np.float32)
    smooth = ndimage.gaussian_filter(masked, (0, sigma, sigma)).astype(dtype)
    window = grey_window(smooth)
    lower, upper = np.percentile(smooth[:, DEEP], (0.5, 99.5))
    span = upper - lower
    np.testing.assert_allclose((window.lower, window.upper), (lower, upper), atol=0.12 * span)
    region = outside(smooth[1], window.surround)
    assert region is not None and (region & DEEP).sum() == 0
    left = smooth[1][~region].astype(float)
    assert (np.abs(left - np.median(left)) < 1.5 * span).all()


@pytest.mark.parametrize(("frame", "fill"), [(np.nan, 0.0), (-1000.0, 0.0), (0.0, np.nan)])
def test_a_circle_within_a_frame(frame: float, fill: float) -> None:
    material = noisy("float32") + 1
    surrounded = np.where(CIRCLE, np.float32(fill), material)
    surrounded[:, ~INNER] = frame
    window = grey_window(surrounded)
    np.testing.assert_array_equal(np.sort(window.surround), np.sort([frame, fill]))
    np.testing.assert_array_equal(outside(surrounded[0], window.surround), CIRCLE | ~INNER)


@pytest.mark.parametrize(("least", "dtype"), [(0, "uint16"), (65532, "uint16"), (0, "uint8")])
def test_a_circle_of_a_few_neighbouring_values(least: int, dtype: str) -> None:
    surrounded = noisy(dtype)
    material = surrounded[:, ~CIRCLE].copy()
    surrounded[:, CIRCLE] = least + np.random.default_rng(1).integers(0, 4, (len(surrounded), CIRCLE.sum()))
    window = grey_window(surrounded)
    assert window.surround == tuple(float(least + k) for k in range(4))
    np.testing.assert_allclose((window.lower, window.upper), np.percentile(material, (0.5, 99.5)), rtol=2e-6)


@pytest.mark.parametrize("order", [0, 3])
def test_a_float_surround_that_is_not_quite_one_value(order: int) -> None:
    """Noise of an iterative reconstruction, or the ringing of a cubic turn; 0 lies far below the material."""
    grey = noisy("float32") + 1
    grey[:, CIRCLE] = 0
    if order:
        grey = ndimage.rotate(grey, 20, (1, 2), reshape=False, order=order, mode="constant")
    else:
        grey[:, CIRCLE] += np.random.default_rng(1).normal(0, 1e-7, (len(grey), CIRCLE.sum()))
    window = grey_window(grey)
    lower, upper = np.percentile(grey[:, DEEP], (0.5, 99.5))
    assert len(window.surround) == 1 and abs(window.surround[0]) < 1e-5
    np.testing.assert_allclose((window.lower, window.upper), (lower, upper), atol=0.15 * (upper - lower))


@pytest.mark.parametrize("radius", [0.3, 0.4])
def test_air_around_a_round_sample_is_material(radius: float) -> None:
    """However even it is: the sample's outline does not reach the borders."""
    grey = noisy("uint8")
    y, x = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    air = y**2 + x**2 > (radius * SIDE) ** 2
    grey[:, air] = np.random.default_rng(1).integers(10, 14, (len(grey), air.sum()))
    assert grey_window(grey).surround == ()

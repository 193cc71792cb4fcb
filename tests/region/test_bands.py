"""What a field of view shows at one size of detail: the same as SciPy's Gaussian filters give, where all is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from custom.region.part import band_passed, smoothed

SHAPE = 9, 40, 57


def _noise() -> np.ndarray:
    return np.random.default_rng(1).normal(100, 20, SHAPE).astype(np.float32)


@pytest.mark.parametrize("sigma", [0.7, 4.0])  # 4: the background's kernel of 145 is wider than the slice
def test_a_band_is_the_difference_of_two_gaussians(sigma: float) -> None:
    volume = _noise()
    padded = np.pad(volume, ((8, 8), (0, 0), (0, 0)), "reflect", reflect_type="odd")
    fine = ndimage.gaussian_filter(padded.astype(float), sigma, truncate=3)[8:-8]
    background = ndimage.gaussian_filter(volume.astype(float), (0, 6 * sigma, 6 * sigma), truncate=3)
    np.testing.assert_allclose(band_passed(volume, sigma), fine - background, atol=1e-3)


def test_what_is_unknown_weighs_on_nothing() -> None:
    volume = _noise()
    y, x = np.ogrid[: SHAPE[1], : SHAPE[2]]
    outside = (y - 20) ** 2 + (x - 28) ** 2 > 19**2
    same, one = volume.copy(), volume.copy()
    same[:, outside] = np.nan
    one[:, outside] = np.nan
    one[4, 20, 28] = np.nan
    weight = (~outside).astype(float)
    expected = ndimage.gaussian_filter(np.where(outside, 0, volume).astype(float), (0, 2, 2), truncate=3)
    expected /= np.maximum(ndimage.gaussian_filter(weight, 2, truncate=3), 1e-3)
    found = smoothed(same, 0, 2.0)
    known = np.isfinite(found)
    np.testing.assert_allclose(found[known], expected[known], rtol=1e-5)
    assert known.any() and not known[:, outside].any()
    np.testing.assert_array_equal(smoothed(one, 0, 2.0)[:3], found[:3])
    assert np.isnan(smoothed(one, 0, 2.0)[4, 20, 28])

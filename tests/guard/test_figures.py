"""Figures of slices against what noise and histograms are known to have."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage, stats

from custom.guard.figures import BINS, apart, histogram, slice_figures

WINDOW = (1000.0, 3000.0)
NOISE = 2000 + 100 * np.random.default_rng(0).standard_normal((256, 256))


def test_of_white_noise() -> None:
    """5 % of the window, uncorrelated: means of four have half of it."""
    found = slice_figures(NOISE, WINDOW)
    assert found["noise"] == pytest.approx(0.05, rel=0.03)
    assert found["sharpness"] == pytest.approx(2, rel=0.05) and found["sharpness_2"] == pytest.approx(2, rel=0.07)
    # within blocks of 8 voxels, of means of 4: a quarter of the noise, of which 3/4 of the variance lies within
    assert found["structure_8"] == pytest.approx(0.05 / 4 * np.sqrt(3 / 4), rel=0.05)


def test_blur_structures_and_gain() -> None:
    plain, blurred = slice_figures(NOISE, WINDOW), slice_figures(ndimage.gaussian_filter(NOISE, 1.0), WINDOW)
    assert blurred["noise"] < 0.6 * plain["noise"] and blurred["sharpness"] < 0.7 * plain["sharpness"]
    y = np.arange(256) // 8 % 2 * 400.0
    striped = slice_figures(NOISE + y[:, None], WINDOW)
    assert striped["structure_16"] > 3 * plain["structure_16"]
    assert striped["noise"] == pytest.approx(plain["noise"], rel=0.01)
    other = slice_figures(3 * NOISE - 500, (3 * 1000 - 500, 3 * 3000 - 500))
    assert other == pytest.approx(plain, rel=1e-3)


def test_what_lies_outside_does_not_count() -> None:
    framed, inside = np.zeros((300, 320)), np.zeros((300, 320), bool)
    framed[32:288, 32:288], inside[32:288, 32:288] = NOISE, True
    assert slice_figures(framed, WINDOW, inside) == pytest.approx(slice_figures(NOISE, WINDOW))
    np.testing.assert_allclose(histogram(framed, WINDOW, inside), histogram(NOISE, WINDOW))


def test_a_small_slice_has_fewer_figures_and_nan_counts_as_the_lower_end() -> None:
    found = slice_figures(NOISE[:9, :9], WINDOW)
    assert np.isfinite(found["noise"]) and np.isnan(found["structure_16"])
    assert all(np.isnan(slice_figures(NOISE[:1], WINDOW)[name]) for name in ("noise", "sharpness", "structure_8"))
    holed = NOISE.copy()
    holed[:, :128] = np.nan
    assert (
        histogram(holed, WINDOW)[0] == pytest.approx(0.5, abs=0.01) and slice_figures(holed, WINDOW)["saturated"] < 1e-3
    )


def test_saturation() -> None:
    clipped = np.clip(NOISE, None, np.quantile(NOISE, 0.9))
    assert slice_figures(clipped, WINDOW)["saturated"] == pytest.approx(0.1, abs=0.001)


def test_the_distance_of_histograms_is_wassersteins() -> None:
    one, other = (histogram(NOISE + shift, WINDOW) for shift in (0, 310))
    places = (np.arange(BINS) + 0.5) / BINS
    assert apart(one, other) == pytest.approx(stats.wasserstein_distance(places, places, one, other))
    assert apart(one, one) == 0 and apart(one, other) == pytest.approx(310 / 2000, abs=0.002)

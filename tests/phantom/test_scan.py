"""The parallel-beam scan against scikit-image and against formulae."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage
from skimage.transform import iradon, radon

from custom.phantom.scan import ScanParameters, detect, harden, project, reconstruct, with_fringe

SIZE, ANGLES = 64, 90
DEGREES = np.arange(ANGLES) * 180 / ANGLES
PERFECT = ScanParameters(photons=1e4, rings=0.0, drift=0.0, zingers=0.0, fringe=0.0)


@pytest.fixture(scope="module")
def slices() -> np.ndarray:
    """Two smooth slices (2, 64, 64) without symmetry, inside the inscribed circle."""
    stack = np.zeros((2, SIZE, SIZE), np.float32)
    stack[0, 20, 40], stack[0, 44, 30], stack[1, 36, 15] = 60, 30, 50
    return ndimage.gaussian_filter(stack, (0, 3, 3), truncate=3)


def relative_error(found: np.ndarray, expected: np.ndarray) -> float:
    return float(np.linalg.norm(found - expected) / np.linalg.norm(expected))


def test_projection_agrees_with_scikit_image(slices: np.ndarray) -> None:
    sinogram = project(slices, SIZE, ANGLES)
    assert sinogram.shape == (ANGLES, SIZE, 2)
    for z, image in enumerate(slices):
        assert relative_error(sinogram[:, :, z].T, radon(image, DEGREES)) < 0.02


def test_reconstruction_agrees_with_scikit_image(slices: np.ndarray) -> None:
    sinogram = project(slices, SIZE, ANGLES)
    y, x = np.indices((SIZE, SIZE)) - SIZE // 2
    circle = y**2 + x**2 < (SIZE // 2 - 1) ** 2
    for z, image in enumerate(reconstruct(sinogram, (SIZE, SIZE))):
        expected = iradon(sinogram[:, :, z].T, DEGREES)
        assert relative_error(image * circle, expected * circle) < 1e-4
        assert relative_error(image * circle, slices[z]) < 0.05  # interpolation blurs a little


def test_reconstruction_of_a_part_is_the_middle_of_the_whole(slices: np.ndarray) -> None:
    sinogram = project(slices, SIZE, ANGLES)
    np.testing.assert_allclose(
        reconstruct(sinogram, (32, 48)), reconstruct(sinogram, (SIZE, SIZE))[:, 16:48, 8:56], atol=1e-5
    )


def test_mass_is_kept_by_every_projection(slices: np.ndarray) -> None:
    sums = project(slices, SIZE, ANGLES).sum(axis=1)
    np.testing.assert_allclose(sums, np.tile(slices.sum(axis=(1, 2)), (ANGLES, 1)), rtol=1e-4)


def test_noise_is_that_of_the_photon_count() -> None:
    """The variance of -log(N / N0) is 1 / N for many photons N."""
    sinogram = np.full((40, 50, 60), 1.2, np.float32)
    seen = detect(sinogram, PERFECT, np.random.default_rng(0))
    assert seen.mean() == pytest.approx(1.2, abs=1e-3)
    assert seen.var() == pytest.approx(np.exp(1.2) / PERFECT.photons, rel=0.03)


def test_gain_errors_are_constant_over_the_scan_and_slow_along_z() -> None:
    rings = replace(PERFECT, photons=1e9, rings=0.01)
    seen = detect(np.ones((20, 400, 30), np.float32), rings, np.random.default_rng(0))
    assert seen.std(axis=0).max() < 1e-3
    gain = seen.mean(axis=0) - seen.mean()
    assert gain.std() == pytest.approx(0.01, rel=0.15)
    assert np.diff(gain, axis=1).std() < 0.15 * gain.std()
    assert np.diff(gain, axis=0).std() > gain.std()


def test_drift_moves_whole_projections_and_zingers_single_readings() -> None:
    flat = np.ones((50, 60, 20), np.float32)
    drifted = detect(flat, replace(PERFECT, photons=1e9, drift=0.01), np.random.default_rng(0))
    assert drifted.mean(axis=(1, 2)).std() > 20 * drifted.std(axis=2).mean()
    hit = detect(flat, replace(PERFECT, photons=1e9, zingers=1e-3), np.random.default_rng(0))
    assert 30 <= (hit < 0.95).sum() <= 90  # 60 expected of 60,000 readings
    assert (hit > 1.001).sum() == 0


def test_fringe_is_the_laplacian_of_the_projection(slices: np.ndarray) -> None:
    """Added to the object, it appears in the projections as their second derivative, and its sum vanishes."""
    fringe = with_fringe(np.zeros_like(slices[:1]), slices[:1], strength=2.0)
    expected = -2.0 * np.gradient(np.gradient(project(slices[:1], SIZE, ANGLES), axis=1), axis=1)
    assert relative_error(project(fringe, SIZE, ANGLES), expected) < 0.15
    assert abs(fringe.sum()) < 1e-3 * np.abs(fringe).sum()


def test_a_hard_beam_is_the_mean_of_two_energies() -> None:
    paths = np.linspace(0, 3, 7, dtype=np.float32).reshape(1, 7, 1)
    seen = -np.log((np.exp(-0.7 * paths) + np.exp(-1.3 * paths)) / 2)
    np.testing.assert_allclose(harden(paths, 0.3), seen, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(harden(paths, 0.0), paths)

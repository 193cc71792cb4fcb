"""Edges by formula against filtered steps, and what each fault of a raw scan does to plain air and polymer."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from custom.phantom.raw_picture import Picture
from custom.phantom.raw_scan import Detector, FieldFaults

SHAPE = (40, 96, 96)
GREY = (9000.0, 20000.0)
NONE = FieldFaults(noise=0.0, rings=0.0, drift=0.0, waves=(0.5, 0.0))
AIR = np.zeros(SHAPE[1:], np.float32)


def volume(faults: FieldFaults | None, value: float = 0.0) -> np.ndarray:
    """Attenuation relative to the polymer's, back from grey values without the faults' own scale."""
    detector = Detector(SHAPE, faults, GREY, (5, 0))
    seen = np.stack([detector.detect(z, AIR + np.float32(value)) for z in range(SHAPE[0])])
    return (seen[:, 20:76, 20:76] - GREY[0]) / GREY[1]


def test_an_edge_is_a_blurred_step_with_the_fringe_of_its_laplacian() -> None:
    fine, blur, fringe = 20, 0.6, 0.2  # points per voxel
    depth = ((np.arange(20 * fine) + 0.5) / fine - 10).astype(np.float32)
    picture = Picture(depth.shape, blur, 0.4, 0.5)
    picture.lay(depth, 1.0, 1.2)
    step = (depth > 0).astype(float)
    blurred = 0.4 + 0.6 * ndimage.gaussian_filter1d(step, blur * fine, truncate=6)
    laplacian = 0.7 * ndimage.gaussian_filter1d(step, blur * fine, order=2, truncate=6) * fine**2
    np.testing.assert_allclose(picture.seen(fringe), blurred - fringe * laplacian, atol=2e-3)


def test_a_picture_covers_the_edges_below_it() -> None:
    depth = np.linspace(-5, 5, 41, dtype=np.float32)
    below, above = Picture(depth.shape, 0.6, 0.0, 0.0), Picture(depth.shape, 0.6, 2.0, 2.0)
    below.lay(depth - 2, 1.0, 1.0)
    below.lay_picture(depth, above)
    np.testing.assert_allclose(below.seen(0.3)[depth > 3], 2.0, atol=1e-3)


def test_noise_is_new_in_each_slice_and_correlates_with_its_neighbours_within_it() -> None:
    noise = volume(FieldFaults(noise=0.1, rings=0.0, drift=0.0, waves=(0.5, 0.0)))
    assert noise.std() == pytest.approx(0.1, rel=0.03) and abs(noise.mean()) < 1e-3
    assert np.mean(noise[:, :, 1:] * noise[:, :, :-1]) / noise.var() == pytest.approx(0.16, abs=0.02)
    assert abs(np.mean(noise[1:] * noise[:-1])) / noise.var() < 0.02


def test_rings_are_circles_that_change_slowly_along_z() -> None:
    rings = volume(FieldFaults(noise=0.0, rings=0.05, drift=0.0, waves=(0.5, 0.0)))
    assert 0.03 < rings.std() < 0.08
    np.testing.assert_allclose(rings, rings[:, ::-1].swapaxes(1, 2), atol=1e-4)
    along = [np.mean(rings[step:] * rings[: len(rings) - step]) / np.mean(rings**2) for step in (1, 32)]
    assert along[0] > 0.95 and abs(along[1]) < 0.35


def test_drift_changes_the_polymer_along_z_and_leaves_air() -> None:
    drifting = FieldFaults(noise=0.0, rings=0.0, drift=0.01, waves=(0.5, 0.0))
    z = np.arange(SHAPE[0]) / SHAPE[0]
    np.testing.assert_allclose(volume(drifting, 1.0).mean(axis=(1, 2)), 1 + 0.01 * np.sin(np.pi * z), atol=1e-4)
    assert not volume(drifting).any()


def test_a_field_has_its_own_grey_scale_and_a_circle_that_the_straight_cell_has_not() -> None:
    own = FieldFaults(noise=0.0, rings=0.0, drift=0.0, waves=(0.5, 0.0), scale=0.9, offset=500.0)
    seen = Detector(SHAPE, own, GREY, (5, 0)).detect(0, AIR)
    assert 0.9 * float(seen[48, 48]) + 500 == pytest.approx(GREY[0], abs=1)
    assert seen[0, 0] == 0 and Detector(SHAPE, None, GREY, (5, 0)).detect(0, AIR)[0, 0] > 0
    assert Detector(SHAPE, NONE, GREY, (5, 0)).detect(0, AIR)[48, 0] == 0

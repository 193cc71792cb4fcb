"""What the directions' weights say of planes, whose projections are known."""

from __future__ import annotations

import numpy as np
import pytest

from custom.pieces.directions import REACH, directions


@pytest.mark.parametrize(
    ("size", "bound"), [((1, 1, 1), 0.018), ((1.33, 1.33, 1.33), 0.018), ((2, 1, 1), 0.025), ((0.7, 1.3, 1), 0.026)]
)
def test_planes_of_any_tilt(size: tuple[float, float, float], bound: float) -> None:
    steps, areas = directions(size)
    assert np.abs(steps).max() <= REACH and (areas > 0).all()
    assert {tuple(step) for step in steps} == {tuple(-step) for step in steps}
    normals = np.concatenate([np.random.default_rng(0).normal(size=(3000, 3)), np.eye(3)])
    normals /= np.linalg.norm(normals, axis=1)[:, None]
    # a voxel at the plane's side is left by a step where it leads out: so many in a square of 1
    exits = np.maximum(normals @ (steps * np.array(size)).T, 0) / np.prod(size)
    found = exits @ areas
    assert np.abs(found - 1).max() < bound and found.mean() == pytest.approx(1.006, abs=2e-3)


def test_the_unit_of_length_does_not_matter() -> None:
    (steps, areas), (again, larger) = directions((1.5, 1.0, 1.0)), directions((3.0, 2.0, 2.0))
    assert np.array_equal(steps, again)
    np.testing.assert_allclose(larger, 4 * areas, rtol=1e-6)

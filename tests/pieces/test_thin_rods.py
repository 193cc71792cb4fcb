"""How much of its surface a thin rod loses: what the documents say of branches of few voxels, against 2 pi r l + 4 pi r^2."""

from __future__ import annotations

import numpy as np
import pytest

from custom.pieces.directions import REACH
from custom.pieces.labelled import label_slab
from custom.pieces.measured import measure_slab

LENGTH = 40.0


def rod(radius: float, rng: np.random.Generator) -> np.ndarray:
    """With round ends, in a random direction and place."""
    along = rng.standard_normal(3)
    along /= np.linalg.norm(along)
    side = int(LENGTH + 2 * radius + 6)
    middle = rng.uniform(0, 1, 3) + side / 2 - 1
    apart = np.stack(np.meshgrid(*[np.arange(side)] * 3, indexing="ij"), axis=-1) - middle
    on_axis = np.clip(apart @ along, -LENGTH / 2, LENGTH / 2)
    return np.asarray(np.linalg.norm(apart - on_axis[..., None] * along, axis=-1) <= radius)


@pytest.mark.parametrize(("radius", "error"), [(1.2, -0.12), (1.5, -0.07), (2.0, -0.036), (3.0, -0.011), (5.0, -0.001)])
def test_the_mean_error_of_the_surface_area(radius: float, error: float) -> None:
    rng, found = np.random.default_rng(1), []
    for _ in range(12):
        body = rod(radius, rng)
        table = measure_slab(np.pad(body, REACH), label_slab(body, len(body), 26), 0, (1, 1, 1))
        found.append(table["area"].sum() / (2 * np.pi * radius * LENGTH + 4 * np.pi * radius**2) - 1)
    assert np.mean(found) == pytest.approx(error, abs=0.01)

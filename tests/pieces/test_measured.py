"""Pieces measured slab by slab, against scikit-image on the whole and against analytic bodies."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage
from skimage.measure import regionprops

from custom.pieces.directions import REACH
from custom.pieces.labelled import Joining, label_slab
from custom.pieces.measured import Table, measure_slab, merged, shapes

CUBIC = (1.0, 1.0, 1.0)


def measured(found: np.ndarray, height: int, voxel_size: tuple[float, float, float] = CUBIC) -> Table:
    """Of the 26-connected pieces."""
    padded = np.pad(found, REACH, mode="edge")
    joining, tables = Joining(), []
    for start in range(0, len(found), height):
        stop = min(start + height, len(found))
        slab = label_slab(found[start : stop + 1], stop - start, 26)
        joining.add(slab.pieces, slab.first, slab.last)
        part = padded[start : stop + 2 * REACH]
        tables.append(measure_slab(part, slab, start, voxel_size))
    count, numbers = joining.joined()
    return {name: merged(name, [table[name] for table in tables], numbers, count) for name in tables[0]}


@pytest.mark.parametrize("height", [1, 4, 7, 30])
def test_volumes_boxes_and_centres_are_scikit_images(height: int) -> None:
    rng = np.random.default_rng(height)
    found = ndimage.gaussian_filter(rng.random((30, 25, 35)), 1.5) > 0.53
    table, size = measured(found, height), (2.0, 0.5, 1.5)
    told = shapes(table, size)
    labels, count = ndimage.label(found, np.ones((3, 3, 3)))
    assert len(table["voxels"]) == count > 5
    expected = {tuple(one.bbox): one for one in regionprops(labels)}
    for piece in range(count):
        one = expected.pop((*table["low"][piece].tolist(), *(table["high"][piece] + 1).tolist()))
        assert table["voxels"][piece] == one.area and told.volume[piece] == pytest.approx(one.area * np.prod(size))
        np.testing.assert_allclose(told.centre[piece], (np.array(one.centroid) + 0.5) * size, rtol=1e-12)
    assert not expected


def ball(radius: float, size: tuple[float, float, float] = CUBIC, centre: float = 0.2) -> np.ndarray:
    half = [int(radius / along) + 5 for along in size]
    grid = np.meshgrid(*[(np.arange(-n, n + 1) - centre) * s for n, s in zip(half, size, strict=True)], indexing="ij")
    return np.asarray(sum(along**2 for along in grid) < radius**2)


@pytest.mark.parametrize("size", [CUBIC, (2.0, 1.0, 1.0), (0.7, 1.3, 1.0)])
def test_balls(size: tuple[float, float, float]) -> None:
    table = measured(ball(14, size), 5, size)
    told = shapes(table, size)
    assert told.volume[0] == pytest.approx(4 / 3 * np.pi * 14**3, rel=5e-3)
    assert table["area"][0] == pytest.approx(4 * np.pi * 14**2, rel=0.02)
    np.testing.assert_allclose(told.axes[0], 2 * 14 * np.sqrt(4 / 5), rtol=0.01)


def test_a_rod_lies_along_its_axis() -> None:
    direction = np.array([0.5, 0.6, 0.62449980])
    grid = np.stack(np.meshgrid(*[np.arange(-34, 35)] * 3, indexing="ij"), -1).astype(float)
    along = grid @ direction
    across = np.linalg.norm(grid - along[..., None] * direction, axis=-1)
    table = measured((abs(along) < 30) & (across < 6), 8)
    told = shapes(table, CUBIC)
    assert told.directions[0, 0] @ direction == pytest.approx(1, abs=1e-4)
    assert (told.directions.max(axis=-1) == np.abs(told.directions).max(axis=-1)).all()
    assert told.volume[0] == pytest.approx(np.pi * 36 * 60, rel=5e-3)
    assert table["area"][0] == pytest.approx(2 * np.pi * 6 * 60 + 2 * np.pi * 36, rel=0.03)


def test_a_tilted_slab_has_the_area_of_its_two_faces() -> None:
    normal = np.array([0.3, 0.9, np.sqrt(1 - 0.9)])
    y = (np.indices((40, 60, 40)) - 20.0).transpose(1, 2, 3, 0) @ normal
    found = (y > 3) & (y < 11)
    area = 2 * 40 * 40 / normal[1]  # the faces meet the sides along y nowhere
    assert found[:, 0].any() == found[:, -1].any() is np.False_
    assert measured(found, 6)["area"][0] == pytest.approx(area, rel=0.03)


def test_the_side_of_the_stack_is_no_surface() -> None:
    assert measured(np.ones((6, 8, 7), bool), 4)["area"][0] == 0


def test_whole_numbers_far_from_the_origin() -> None:
    """A ball around slice 3,000,000 has the axes that it has at 0."""
    found = ball(6)
    padded = np.pad(found, REACH, mode="edge")
    labelled = label_slab(found, len(found), 26)
    near, far = (shapes(measure_slab(padded, labelled, start, CUBIC), CUBIC) for start in (0, 3_000_000))
    np.testing.assert_allclose(far.axes, near.axes, rtol=1e-12)

"""The map of a raw phantom against scipy's rotations, and where draws of any size put the cell."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from custom.phantom.raw_layout import BEND, FIELD_ROTATION, TILT, Layout, cell_shape, circle_radius, draw_layout
from custom.phantom.raw_map import FieldPlace, Shape, turned

POINTS = np.random.default_rng(0).uniform(-20, 300, (50, 3))
SIZES: list[Shape] = [
    (256, 256, 256),
    (512, 512, 512),
    (256, 400, 300),
    (1024, 256, 256),
    (3977, 2575, 2582),
    (64, 96, 96),
]


def layouts(size: Shape) -> list[Layout]:
    return [draw_layout(np.random.default_rng(seed), size) for seed in range(40)]


@pytest.mark.parametrize("angles", [(4.0, 0.0, 0.0), (0.0, -3.0, 0.0), (0.0, 0.0, 9.0), (4.0, -3.0, 9.0)])
def test_a_cell_is_turned_about_x_then_y_then_z(angles: tuple[float, float, float]) -> None:
    """scipy turns (x, y, z): y to z about x, z to x about y, x to y about z; ours turn z to y, z to x and y to x."""
    x, y, z = angles
    expected = Rotation.from_euler("xyz", (-x, y, -z), degrees=True).as_matrix()[::-1, ::-1]
    np.testing.assert_allclose(turned(*angles), expected, atol=1e-12)


def test_a_point_turns_from_y_to_x_and_is_shifted() -> None:
    field = FieldPlace((10, 101, 201), (7.5, 2.0, -1.0), 90.0)  # around (50, 100)
    np.testing.assert_allclose(field.to_raw(np.array([1.0, 60.0, 100.0])), [8.5, 52.0, 109.0], atol=1e-12)


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_both_ways_meet(size: Shape) -> None:
    for layout in layouts(size)[:4]:
        np.testing.assert_allclose(layout.cell.to_cell(layout.cell.to_raw(POINTS)), POINTS, atol=1e-8)
        for field in layout.fields:
            np.testing.assert_allclose(field.to_field(field.to_raw(POINTS)), POINTS, atol=1e-8)


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_cells_fit_the_circle_and_are_bent_between_corners_that_stay(size: Shape) -> None:
    for layout in layouts(size):
        corners = layout.cell.corners()
        assert corners[..., 0].min() > layout.film and corners[..., 0].max() < size[0] - 1 - layout.film
        across = corners[..., 1:] - (np.array(size[1:]) - 1) / 2
        assert np.hypot(across[..., 0], across[..., 1]).max() + layout.film < circle_radius(size)
        sides = np.diff(corners, axis=0)[0], np.diff(corners, axis=1)[:, 0], np.diff(corners, axis=2)[:, :, 0]
        for side, length in zip(sides, layout.cell.shape, strict=True):
            np.testing.assert_allclose(np.linalg.norm(side, axis=-1), length - 1)  # straight from corner to corner
        z, x = np.meshgrid(*(np.linspace(0, layout.cell.shape[axis] - 1, 21) for axis in (0, 2)))
        assert np.abs(layout.cell.faces(z, x)).max() <= BEND + 1e-9


def test_draws_use_their_ranges() -> None:
    drawn = layouts((256, 256, 256))
    tilts = np.abs([layout.tilt_deg for layout in drawn])
    turns = np.abs([field.rotation_deg for layout in drawn for field in layout.fields])
    assert 0.9 * TILT < tilts.max() <= TILT and 0.9 * FIELD_ROTATION < turns.max() <= FIELD_ROTATION


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_fields_of_view_overlap_by_a_tenth_and_end_with_the_raw_grid(size: Shape) -> None:
    for layout in layouts(size):
        assert all(field.shape[1:] == size[1:] for field in layout.fields)
        assert math.floor(layout.fields[-1].shift[0] + layout.fields[-1].shape[0] - 1) + 1 == size[0]
        for below, above in zip(layout.fields[:-1], layout.fields[1:], strict=True):
            overlap = below.shift[0] + below.shape[0] - above.shift[0]
            assert abs(overlap - 0.1 * below.shape[0]) < 3


def test_the_size_that_is_asked_for_decides_on_that_of_the_cell() -> None:
    assert min(cell_shape((256, 256, 256))) >= 128
    np.testing.assert_allclose(cell_shape((3977, 2575, 2582)), (3849, 340, 2071), rtol=0.03)

"""Corners, bend, fields and map of a region against loops and formulas of their own."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from custom.region import Bend, Corners, Field, RegionMap, corners_of, quads_of
from custom.region.fields import joined_shape, weights

SHAPE = (40, 130, 170)


def box(matrix: np.ndarray, shift: tuple[float, ...]) -> np.ndarray:
    """(2, 2, 2, 3): the corners of SHAPE's grid, moved."""
    corners = np.empty((2, 2, 2, 3))
    for i, j, k in product(range(2), repeat=3):
        place = np.array([i, j, k]) * (np.array(SHAPE) - 1)
        corners[i, j, k] = matrix @ place + shift
    return corners


TURNED = Rotation.from_euler("zyx", [3, -2, 5], degrees=True).as_matrix() @ np.diag([1.0, 1.1, 0.9])
QUAD = ((20.0, 30.0), (26.0, 205.0), (160.0, 190.0), (151.0, 22.0))
BEND = Bend(((1.0, 0.5, -2.0), (0.25, 1.5), (3.0,)), ((-2.0,), (), (), (0.5, -1.0), (0.75,)))


def test_eight_corners_are_what_the_contract_says() -> None:
    rng = np.random.default_rng(0)
    quads = {name: rng.uniform(0, 100, (4, 2)) for name in ("yx", "zx", "zy")}
    found = corners_of(Corners(**{name: tuple(map(tuple, quad)) for name, quad in quads.items()}), 100)  # type: ignore[arg-type]
    at = {(0, 0): 0, (0, 1): 1, (1, 1): 2, (1, 0): 3}
    yx, zx, zy = ({place: quads[name][number] for place, number in at.items()} for name in ("yx", "zx", "zy"))
    for i, j, k in product(range(2), repeat=3):
        z = (
            zx[i, k][0]
            + zy[i, j][0]
            - (np.mean([zx[i, n][0] for n in (0, 1)]) + np.mean([zy[i, n][0] for n in (0, 1)])) / 2
        )
        y = (
            yx[j, k][0]
            + zy[i, j][1]
            - (np.mean([yx[j, n][0] for n in (0, 1)]) + np.mean([zy[n, j][1] for n in (0, 1)])) / 2
        )
        x = (
            yx[j, k][1]
            + zx[i, k][1]
            - (np.mean([yx[n, k][1] for n in (0, 1)]) + np.mean([zx[n, k][1] for n in (0, 1)])) / 2
        )
        np.testing.assert_allclose(found[i, j, k], (z, y, x), atol=1e-10)


def test_a_box_that_is_turned_and_sheared_comes_back_from_its_projections() -> None:
    corners = box(TURNED, (5.0, 40.0, 12.5))
    np.testing.assert_allclose(corners_of(quads_of(corners), 60), corners, atol=1e-9)


def test_one_projection_alone_goes_straight_through_all_slices() -> None:
    corners = corners_of(Corners(QUAD), 41)
    for i, (j, k, number) in product(range(2), ((0, 0, 0), (0, 1, 1), (1, 1, 2), (1, 0, 3))):
        assert corners[i, j, k].tolist() == [40 * i, *QUAD[number]]
    zy = ((3.0, 25.0), (4.0, 150.0), (33.0, 160.0), (35.0, 28.0))
    seen = quads_of(corners_of(Corners(QUAD, zy=zy), 41))
    np.testing.assert_allclose(np.array(seen.zy)[:, 0], np.array(zy)[:, 0], atol=1e-9)


def test_the_map_of_a_box_is_its_affine_map() -> None:
    region_map = RegionMap(SHAPE, box(TURNED, (5.0, 40.0, 12.5)))
    points = np.random.default_rng(1).uniform(-10, 200, (50, 3))
    np.testing.assert_allclose(region_map.forward(points), points @ TURNED.T + (5.0, 40.0, 12.5), atol=1e-8)
    np.testing.assert_allclose(region_map.affine[:3, :3], TURNED, atol=1e-9)
    assert region_map.matrix[3].tolist() == [0, 0, 0, 1] and not region_map.within_slices


@pytest.mark.parametrize("depth", [1, 40])
def test_a_quadrilateral_within_slices_is_its_homography(depth: int) -> None:
    """Solved here as eight equations for the eight numbers, as OpenCV's getPerspectiveTransform does."""
    shape = (depth, *SHAPE[1:])
    region_map = RegionMap(shape, corners_of(Corners(QUAD), depth))
    corners = [(0, 0), (0, shape[2] - 1), (shape[1] - 1, shape[2] - 1), (shape[1] - 1, 0)]
    rows, right = [], []
    for (y, x), (to_y, to_x) in zip(corners, QUAD, strict=True):
        rows += [[y, x, 1, 0, 0, 0, -to_y * y, -to_y * x], [0, 0, 0, y, x, 1, -to_x * y, -to_x * x]]
        right += [to_y, to_x]
    h = np.append(np.linalg.solve(rows, right), 1).reshape(3, 3)
    for z, y, x in np.random.default_rng(2).uniform(0, 120, (20, 3)):
        to_y, to_x, w = h @ (y, x, 1)
        np.testing.assert_allclose(region_map.forward(np.array([z, y, x])), [z, to_y / w, to_x / w], atol=1e-6)
    assert region_map.within_slices
    np.testing.assert_allclose(region_map.inverse(region_map.forward(np.array([0.0, 70, 80]))), [0, 70, 80], atol=1e-6)


def test_the_bend_moves_y_as_its_formula_says_and_the_inverse_undoes_all() -> None:
    region_map = RegionMap(SHAPE, corners_of(Corners(QUAD), 40), BEND)
    flat = RegionMap(SHAPE, corners_of(Corners(QUAD), 40))
    points = np.random.default_rng(3).uniform(0, 1, (30, 3)) * (np.array(SHAPE) - 1)
    for z, y, x in points:
        u, w, v = 2 * z / 39 - 1, 2 * x / 169 - 1, y / 129
        first = 1 + 0.5 * w - 2 * w**2 + 0.25 * u + 1.5 * u * w + 3 * u**2
        last = -2 + 0.5 * u**3 - u**3 * w + 0.75 * u**4
        moved = np.array([z, y + (1 - v) * first + v * last, x])
        np.testing.assert_allclose(region_map.forward(np.array([z, y, x])), flat.forward(moved), atol=1e-8)
    np.testing.assert_allclose(region_map.inverse(region_map.forward(points)), points, atol=1e-8)


def test_a_field_is_turned_about_the_middle_of_its_slices_after_the_shift() -> None:
    field = Field("mid.tif", (30, 101, 81), shift=(25.0, 4.0, -3.0), rotation_deg=0.4)
    t = math.radians(0.4)
    for z, y, x in np.random.default_rng(4).uniform(0, 80, (10, 3)):
        dy, dx = y - 4 - 50, x + 3 - 40
        expected = z - 25, 50 + math.cos(t) * dy + math.sin(t) * dx, 40 - math.sin(t) * dy + math.cos(t) * dx
        np.testing.assert_allclose((field.matrix() @ (z, y, x, 1))[:3], expected, atol=1e-10)


def test_fields_fade_into_one_another_along_their_overlap() -> None:
    fields = (
        Field("a", (30, 9, 9)),
        Field("b", (30, 9, 9), shift=(25.5, 0, 0)),
        Field("c", (30, 9, 9), shift=(50, 0, 0)),
    )
    assert joined_shape(fields) == (80, 9, 9)
    z = np.array([-5, 0, 25, 26.9, 29, 35, 52.25, 70, 90])
    expected = [np.interp(z, [25.5, 29], [1, 0]), 0 * z, np.interp(z, [50, 54.5], [0, 1])]
    expected[1] = 1 - expected[0] - expected[2]
    np.testing.assert_allclose(weights(z, fields), expected, atol=1e-12)

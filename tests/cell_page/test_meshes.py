"""Surfaces for a page against bodies whose volume is known."""

from __future__ import annotations

import numpy as np
import pytest

from custom.cell_page.meshes import Mesh, Nearest, at_vertices, ply_of, surface_mesh, volume_of
from custom.cell_page.parts import chart, map_picture

SIZE = (2.0, 1.0, 0.5)


def ball(radius: float) -> np.ndarray:
    """Smooth at its edge, as a share of lithium is."""
    z, y, x = np.meshgrid(*[(np.arange(n) + 0.5) * s for n, s in zip((30, 60, 120), SIZE, strict=True)], indexing="ij")
    away = np.sqrt((z - 30) ** 2 + (y - 30) ** 2 + (x - 30) ** 2)
    return np.clip((radius - away) / 2 + 0.5, 0, 1).astype(np.float32)


@pytest.mark.parametrize("most", [10**6, 3000])
def test_a_ball_keeps_its_volume_and_place(most: int) -> None:
    mesh = surface_mesh(ball(20), 0.5, SIZE, most)
    assert 100 < len(mesh.faces) <= most
    assert volume_of(mesh) == pytest.approx(4 / 3 * np.pi * 20**3, rel=0.01)
    ends = np.array([mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)])
    beyond = np.array([10 - ends[0], ends[1] - 50])
    assert (beyond > -0.6).all() and (beyond < 0.2).all()


def test_what_is_thin_is_not_lost() -> None:
    share = np.zeros((40, 50, 60), np.float32)
    share[::4, 25, :] = share[10, 5:45, ::6] = 1
    mesh = surface_mesh(share, 0.5, (1, 1, 1), 2000)
    assert 1000 < len(mesh.faces) <= 2000 and volume_of(mesh) == pytest.approx(
        volume_of(surface_mesh(share, 0.5, (1, 1, 1), 10**6)), rel=0.1
    )


def test_lithium_at_the_side_is_closed() -> None:
    mesh = surface_mesh(np.ones((4, 4, 4), np.float32), 0.5, (1, 1, 1), 1000)
    assert volume_of(mesh) == pytest.approx(4**3, rel=0.1)
    edges = np.sort(mesh.faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    assert (np.unique(edges, axis=0, return_counts=True)[1] == 2).all()


def test_nothing_has_no_surface() -> None:
    assert len(surface_mesh(np.zeros((4, 4, 4), np.float32), 0.5, (1, 1, 1), 10).faces) == 0


def test_vertices_take_what_is_nearest() -> None:
    mesh = surface_mesh(ball(10), 0.5, SIZE, 10**6)
    numbers = np.where(ball(10) > 0.9, 7, -1).astype(np.int32)
    numbers[0, 0, 0] = 3
    assert (Nearest(numbers, numbers >= 0, SIZE).at_vertices(mesh) == 7).all()
    z = np.broadcast_to(np.arange(30)[:, None, None], numbers.shape)
    np.testing.assert_array_equal(at_vertices(mesh, z, SIZE), (mesh.vertices[:, 0] / 2).astype(int))


@pytest.mark.parametrize("known", [0.02, 0.0])
def test_the_nearest_is_the_nearest_in_layers_too(known: float) -> None:
    """Beside all distances; where few voxels are known they lie in other layers than what they are looked for."""
    rng, shape = np.random.default_rng(0), (300, 12, 9)
    values, at = rng.integers(0, 10**6, shape), rng.random(shape) < known
    at[0, 3, 4] = True
    vertices = (rng.random((500, 3)) * np.array(shape) * SIZE).astype(np.float32)
    places = (np.argwhere(at) + 0.5) * SIZE
    nearest = np.linalg.norm(vertices[:, None] - places, axis=2).argmin(axis=1)
    found = Nearest(values, at, SIZE).at_vertices(Mesh(vertices, np.zeros((0, 3), np.int32)))
    np.testing.assert_array_equal(found, values[at][nearest])


def test_blocks_are_one_surface(monkeypatch: pytest.MonkeyPatch) -> None:
    share = np.pad(ball(20)[4:-4], 0)
    whole = surface_mesh(share, 0.5, SIZE, 10**6)
    monkeypatch.setattr("custom.cell_page.meshes._BLOCK", 5 * share[0].size)
    blocks = surface_mesh(share, 0.5, SIZE, 10**6)
    assert len(blocks.faces) == len(whole.faces) and volume_of(blocks) == pytest.approx(volume_of(whole), rel=1e-6)
    monkeypatch.setattr("custom.cell_page.meshes._MOST", 4000)
    fewer = surface_mesh(share, 0.5, SIZE, 3000)
    assert len(fewer.faces) <= 3000 and volume_of(fewer) == pytest.approx(volume_of(whole), rel=0.01)
    for mesh in (blocks, fewer):
        edges = np.sort(mesh.faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
        assert (np.unique(edges, axis=0, return_counts=True)[1] == 2).all()


def test_ply_has_x_first() -> None:
    mesh = surface_mesh(ball(10), 0.5, SIZE, 10**6)
    head, body = ply_of(mesh).split(b"end_header\n")
    assert b"element vertex %d" % len(mesh.vertices) in head and b"element face %d" % len(mesh.faces) in head
    first = np.frombuffer(body, "<f4", 3)
    np.testing.assert_array_equal(first, mesh.vertices[0, ::-1])
    assert len(body) == 12 * len(mesh.vertices) + 13 * len(mesh.faces)


def test_pictures() -> None:
    picture = map_picture(np.linspace(0, 1, 2000 * 10, dtype=np.float32).reshape(10, 2000))
    assert picture.size[0] == 900 and picture.getpixel((0, 0)) < picture.getpixel((899, 3))
    drawn = chart("A & B", [1, 4, 0], (0, 3), "x", "y")
    assert "A &amp; B" in drawn and drawn.count("<rect") == 3

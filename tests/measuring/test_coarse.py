"""The copy in larger voxels against sums over the whole, and what is measured on it against bodies of known thickness."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from custom.electrodes.given import electrodes_given
from custom.measuring.coarse import Coarse, CoarseCell
from custom.measuring.eikonal import sweep
from custom.measuring.paths import shortest_paths
from custom.measuring.reading import Cell
from custom.measuring.thickness import local_thickness
from custom.stack import open_stack, slabs

SIZE = (2.0, 1.0, 0.5)


@pytest.mark.parametrize("height", [1, 4, 7, 50])
@pytest.mark.parametrize("most", [40_000, 800, 30])
def test_blocks_are_summed_whatever_the_slabs(most: int, height: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    shape = (23, 31, 40)
    mask, levels = rng.random(shape) < 0.3, rng.integers(0, 256, shape).astype(np.uint8)
    np.save(tmp_path / "mask.npy", mask.astype(np.uint8))
    np.save(tmp_path / "levels.npy", levels)
    electrodes = electrodes_given([3, 28], 1)
    cell = Cell(open_stack(tmp_path / "mask.npy"), (1,), open_stack(tmp_path / "levels.npy"), electrodes, SIZE)
    coarse = Coarse(shape, SIZE, electrodes, True, most)
    for slab in cell.slabs(slabs(cell.mask, height)):
        coarse.add(slab.start, coarse.of_slab(slab))
    found, f = coarse.cell(), coarse.factor
    assert found.share.size <= most and (f == 1 or np.prod([-(-n // (f - 1)) for n in shape]) > most)
    distances = found.distances()
    assert found.levels is not None and distances is not None
    for at in np.ndindex(found.share.shape):
        part = tuple(slice(k * f, (k + 1) * f) for k in at)
        assert found.share[at] == pytest.approx(mask[part].mean())
        assert found.levels[at] == levels[part].max()
    y = np.arange(shape[1]) + 0.5
    middles = [y[k * f : (k + 1) * f].mean() - 3 for k in range(found.share.shape[1])]
    np.testing.assert_allclose(distances[0, 0, :, 0], middles, rtol=1e-5)
    np.testing.assert_array_equal(found.depths(), distances.min(axis=0))


def test_what_is_thinner_than_a_voxel_keeps_its_volume() -> None:
    share = np.zeros((20, 20, 20), np.float32)
    share[:, 10, 3:17] = 0.2  # plates of a fifth of a voxel
    share[5:9, 2:6, 2:6] = 1
    found = CoarseCell(5, share, None, (5.0, 5.0, 5.0))
    assert found.level == pytest.approx(0.2) and found.lithium[5:9, 2:6, 2:6].all() and found.lithium[:, 10, 3:17].any()
    share[:, 10] = 0
    assert CoarseCell(5, share, None, (5.0, 5.0, 5.0)).level == 0.5
    assert CoarseCell(5, np.zeros_like(share), None, (5.0, 5.0, 5.0)).level == 0.5


def flat(depth: int, height: int, width: int) -> CoarseCell:
    """Open, between electrodes at y = 2 and two from the other end."""
    middles = [np.arange(length) for length in (depth, height, width)]
    share = np.zeros((depth, height, width), np.float32)
    return CoarseCell(1, share, None, (1.0, 1.0, 1.0), electrodes_given([2, height - 2], 1), middles)


def test_an_open_cell_has_straight_ways() -> None:
    found = shortest_paths(flat(5, 24, 7), 1)
    assert found.tortuosity == pytest.approx(1) and found.reached == 1


@pytest.mark.parametrize("size", [(1.0, 1.0, 1.0), (2.0, 0.7, 1.3)])
def test_fronts_from_a_plane_of_any_tilt_are_exact(size: tuple[float, float, float]) -> None:
    normal = np.array([0.48, 0.6, 0.64])
    place = np.stack(np.indices((12, 14, 16)), axis=-1) * size @ normal
    lengths = np.where((np.indices(place.shape) == 0).any(axis=0), place, np.inf).astype(np.float32)
    sweep(lengths, np.ones(place.shape, bool), np.array(size), 1e-4)
    np.testing.assert_allclose(lengths, place, atol=1e-4)


def test_a_wall_with_a_slit_is_gone_around() -> None:
    """From each place above the way goes straight to the slit, through it, and straight down."""
    cell = flat(1, 84, 121)
    cell.share[0, 40:44] = 1
    cell.share[0, 40:44, 60] = 0
    found = shortest_paths(cell, 1)
    aside = np.maximum(np.abs(np.arange(121) - 60) - 0.5, 0)
    expected = (42 + np.hypot(aside, 38)).mean() / 80
    assert found.tortuosity == pytest.approx(expected, rel=0.02)
    cell.share[0, 40:44, 60] = 1
    shut = shortest_paths(replace(cell), 1)  # what is known of the cell with the slit goes
    assert shut.tortuosity is None and shut.reached == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("size", [(1.0, 1.0, 1.0), (1.0, 0.5, 0.5)])
@pytest.mark.parametrize("thick", [3, 6, 11])
def test_plates_rods_and_balls(thick: int, size: tuple[float, float, float]) -> None:
    z, y, x = (np.arange(61) * along for along in size)
    middle = [along.mean() for along in (z, y, x)]
    apart = np.meshgrid(z - middle[0], y - middle[1], x - middle[2], indexing="ij")
    plate = np.abs(apart[0]) < thick / 2
    rod = np.hypot(apart[0], apart[1]) < thick / 2
    ball = np.sqrt(sum(along**2 for along in apart)) < thick / 2
    for body in (plate, rod, ball):
        found = local_thickness(body, size)[body]
        assert np.abs(found - thick).max() <= max(size) * 1.01, (thick, found.min(), found.max())
    assert not local_thickness(ball, size)[~ball].any()


def test_thin_and_thick_parts_have_their_own() -> None:
    body = np.zeros((30, 30, 60), bool)
    body[5:25, 5:25, :30] = True
    body[13:17, 13:17, 30:] = True
    found = local_thickness(body, (1, 1, 1))
    assert found[15, 15, 15] == pytest.approx(20, abs=1) and found[15, 15, 50] == pytest.approx(4, abs=1)
    full = local_thickness(np.ones((4, 4, 4), bool), (1, 1, 1))
    assert np.isinf(full).all()

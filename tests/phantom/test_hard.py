"""The hard cells: what makes them hard is there, measured on their phase maps and pictures."""

from functools import cache

import numpy as np
import pytest
from scipy import ndimage

from custom.metrics.grey_window import best_grey_window
from custom.phantom.cell import Cell
from custom.phantom.growth import dendrite, solid
from custom.phantom.hard_cell import make_hard_cell
from custom.phantom.hard_growth import FINE, NEAREST
from custom.phantom.hard_phases import hard_map
from custom.phantom.hard_shape import HardParameters
from custom.phantom.layers import DENDRITE, EDGE, ELECTRODE, OUTSIDE, PIT, POLYMER, REDEPOSITED
from custom.phantom.site import TEST, TRAINING, Site
from custom.phantom.truth import truth

SEEDS = range(4)


@cache
def grown(seed: int, voxel_size_um: float = 1.33) -> tuple[HardParameters, np.ndarray, np.ndarray]:
    """Parameters, phases and shares of a cell of 8 slices, within the field of view."""
    p = HardParameters.draw_hard(np.random.default_rng(seed), seed, voxel_size_um)
    phases, share = hard_map(p, np.random.default_rng(seed), 8)
    return p, phases[:, :, EDGE:-EDGE], share[:, :, EDGE:-EDGE]


@cache
def scanned_at(site: Site, seed: int) -> Cell:
    return make_hard_cell(seed, site, slices=3)


def test_branches_are_as_thin_as_two_voxels_and_hold_together() -> None:
    balls = dendrite(np.random.default_rng(0), 3.0, 40.0, FINE) + [50, 20, 50, 0]
    assert balls[:, 3].min() == 1.0
    _, inside = solid(balls, np.zeros((100, 100, 100), np.float32))
    assert ndimage.label(inside, np.ones((3, 3, 3)))[1] == 1
    lithium = np.concatenate([np.isin(grown(seed)[1], (DENDRITE, REDEPOSITED)) for seed in SEEDS])
    thin = lithium & ~ndimage.binary_opening(lithium, np.ones((1, 3, 3)))
    assert 0.1 < thin.sum() / lithium.sum() < 0.6, "many voxels lie in branches under three voxels across"


def test_dendrites_and_pits_share_one_wide_range_of_pores() -> None:
    pores = {kind: np.concatenate([s[p == kind] for _, p, s in map(grown, SEEDS)]) for kind in (PIT, DENDRITE)}
    for values in pores.values():
        low, high = np.percentile(values, (10, 90))
        assert low < 0.12 and high > 0.45 and values.max() <= 0.9
    assert abs(pores[PIT].mean() - pores[DENDRITE].mean()) < 0.1


def test_some_lithium_has_lost_contact() -> None:
    """Most of it by more than its branches alone would keep off: its foot is gone."""
    dead = []
    for _, phases, _ in map(grown, SEEDS):
        pieces, count = ndimage.label(np.isin(phases, (DENDRITE, REDEPOSITED)), np.ones((3, 3, 3)))
        away = ndimage.distance_transform_edt(phases != ELECTRODE)
        distances = ndimage.minimum(away, pieces, range(1, count + 1))
        assert (distances > NEAREST).any() and (distances == 1).any()
        dead += list(distances[distances > NEAREST])
    assert len(dead) > 15 and np.percentile(dead, 10) > 6


@pytest.mark.parametrize("voxel_size_um", [TRAINING.voxel_size_um, TEST.voxel_size_um])
@pytest.mark.parametrize("seed", SEEDS)
def test_every_third_cell_is_bridged_and_the_others_leave_their_gap(seed: int, voxel_size_um: float) -> None:
    p, phases, _ = grown(seed, voxel_size_um)
    found = truth(phases, (voxel_size_um,) * 3)
    assert found["bridged"]["26"] is (seed % 3 == 1)
    assert (found["gap_um"] == 0) is found["bridged"]["26"]
    if not found["bridged"]["26"]:
        assert p.left < found["gap_um"] / voxel_size_um < 0.5 * found["electrodes_um"] / voxel_size_um


def test_lithium_fills_what_the_cell_aims_for() -> None:
    shares = [np.isin(grown(seed)[1], (DENDRITE, REDEPOSITED)).mean() for seed in SEEDS]
    assert 0.008 < min(shares) and max(shares) < 0.055
    for seed, share in zip(SEEDS, shares, strict=True):
        assert share == pytest.approx(grown(seed)[0].lithium, rel=0.45)


def test_a_test_cell_is_another_scanners() -> None:
    """Grey scale, noise, blur and voxel size; the cell itself has the same size in micrometres."""
    here, there = scanned_at(TRAINING, 1), scanned_at(TEST, 1)
    assert here.voxel_size_um == (1.33,) * 3 and there.voxel_size_um == (1.65,) * 3
    spread = [np.subtract(*np.percentile(cell.image, (99, 1))) for cell in (here, there)]
    assert spread[0] > 1.5 * spread[1], "another scale"
    assert np.percentile(there.image, 5) > 24000, "another offset"
    thick = [float((cell.phases != OUTSIDE).sum(axis=1).mean() * cell.voxel_size_um[1]) for cell in (here, there)]
    assert thick[0] == pytest.approx(thick[1], rel=0.06)

    def likeness(cell: Cell) -> float:
        """Of neighbours in the polymer: the correlation of noise."""
        both = (cell.phases[:, :, 1:] == POLYMER) & (cell.phases[:, :, :-1] == POLYMER)
        image = cell.image - ndimage.gaussian_filter(cell.image.astype(float), (0, 5, 5))
        return float(np.corrcoef(image[:, :, 1:][both], image[:, :, :-1][both])[0, 1])

    assert likeness(there) > likeness(here) + 0.15, "another blur"


@pytest.mark.parametrize("site", [TRAINING, TEST])
def test_the_best_grey_window_fails(site: Site) -> None:
    cell = scanned_at(site, 1)
    _, _, dice = best_grey_window(cell.image, cell.label)
    assert 0.02 < dice < 0.35


def test_same_seed_and_site_same_bytes() -> None:
    first, again = scanned_at(TEST, 1), make_hard_cell(1, TEST, slices=3)
    assert first.parameters == again.parameters
    for kind in ("image", "label", "phases", "drawn"):
        np.testing.assert_array_equal(getattr(first, kind), getattr(again, kind))


def test_a_round_field_is_black_outside_the_scanned_circle() -> None:
    cell = make_hard_cell(1, TRAINING, slices=1, round_field=True)
    assert cell.image.shape == cell.label.shape == cell.drawn.shape == (1, 192, 384)  # type: ignore[union-attr]
    assert not cell.image[:, 0, 0] and not cell.phases[:, 0, 0]

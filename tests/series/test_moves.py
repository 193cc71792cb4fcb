"""Moves and what they lay elsewhere, against scipy; registration against moves that are known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from growing import SHAPE, script, small_cell
from scipy import ndimage

from custom.measuring.opening import open_cell
from custom.measuring.reading import Cell
from custom.series.agreement import Agreement
from custom.series.laying import laid
from custom.series.listing import read_list
from custom.series.move import Move, apart
from custom.series.refining import refined
from custom.series.registering import register
from custom.series.registration import Registration, middle
from custom.series.step import Laying
from custom.series.view import factor_for, in_blocks, view_of
from custom.series.volumes import back, volumes_in_view
from custom.stack import open_stack

SIZE = np.array([2.0, 1.0, 1.5])


def some_move(seed: int = 0) -> Move:
    random = np.random.default_rng(seed)
    return Move.of(np.concatenate([random.normal(0, 0.02, 3), random.normal(0, 3, 3)]), np.array([20.0, 10.0, 15.0]))


def test_moves_are_rigid_and_follow_one_another() -> None:
    one, other, places = some_move(0), some_move(1), np.random.default_rng(2).normal(0, 30, (50, 3))
    np.testing.assert_allclose(other.after(one)(places), other(one(places)))
    np.testing.assert_allclose(back(one, one(places)), places)
    np.testing.assert_allclose(Move.of(one.numbers, one.centre)(places), one(places))
    np.testing.assert_allclose(
        np.linalg.norm(np.diff(one(places), axis=0), axis=1), np.linalg.norm(np.diff(places, axis=0), axis=1)
    )
    matrix, offset = one.voxels(SIZE)
    np.testing.assert_allclose(places / SIZE @ matrix.T + offset, one(places) / SIZE)
    aside = Move(np.eye(3), np.array([2.0, 0, 0]), one.centre)
    assert apart(Move.none(one.centre), aside, SHAPE, SIZE) == pytest.approx(1)


def labels(tmp_path: Path) -> np.ndarray:
    random = np.random.default_rng(0)
    found, _ = ndimage.label(ndimage.gaussian_filter(random.normal(size=(20, 26, 30)), 2) > 0.05)
    np.save(tmp_path / "labels.npy", found.astype(np.uint32))
    return np.asarray(found)


@pytest.mark.parametrize("cut", [(0, 18), (5, 9)])
def test_what_is_laid_is_as_scipy_lays_it(cut: tuple[int, int], tmp_path: Path) -> None:
    theirs, move, shape = labels(tmp_path), some_move(), (18, 24, 28)
    matrix, offset = move.voxels(SIZE)
    expected = ndimage.affine_transform(theirs, matrix, offset, shape, order=0, mode="grid-constant")
    seen = ndimage.affine_transform(np.ones(theirs.shape), matrix, offset, shape, order=0, mode="grid-constant") > 0
    found = laid(open_stack(tmp_path / "labels.npy"), move, SIZE, shape, *cut)
    np.testing.assert_array_equal(found.seen, seen[slice(*cut)])
    np.testing.assert_array_equal(found.numbers, (expected * seen)[slice(*cut)])


def test_volumes_in_view(tmp_path: Path) -> None:
    theirs = labels(tmp_path)
    stack = open_stack(tmp_path / "labels.npy")
    shift = Move(np.eye(3), np.array([3, 2, -1]) * SIZE, np.zeros(3))
    aside = Move(np.eye(3), np.array([0, 0, 5]) * SIZE, np.zeros(3))
    found = volumes_in_view(Laying(stack, shift), [Laying(stack, aside)], (15, 26, 30), SIZE, 7)
    assert found == np.count_nonzero(theirs[3:18, 2:, :24])


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> list[Cell]:
    folder = tmp_path_factory.mktemp("scans")
    script().write_scans(small_cell(), folder)
    return [
        open_cell(folder / f"mask_{scan}.tif", stack=folder / f"grey_{scan}.tif", thickness_axis="y")
        for scan in range(3)
    ]


@pytest.mark.parametrize(("factor", "grey", "bound"), [(1, True, 0.3), (2, True, 0.3), (1, False, 1.0)])
def test_registration_of_copies_and_blocks(factor: int, grey: bool, bound: float, cells: list[Cell]) -> None:
    """Also where the copy is coarser than the scan, and some blocks of full resolution are all that is looked at then; six pieces tell less."""
    cell, size = small_cell(), np.array(cells[0].voxel_size)
    first, this = (cells[at] if grey else replace(cells[at], grey=None) for at in (0, 2))
    truth = Move(cell.turns[2], cell.shifts[2] * size, middle(first))
    move = register(view_of(first, factor), view_of(this, factor), [Move.none(middle(first))])
    assert apart(move, truth, SHAPE, size) < 3
    if factor > 1:
        move = refined(first, this, move, grey, float(factor), 8)
    move = refined(first, this, move, grey, blocks=8 if factor > 1 else 48)
    assert apart(move, truth, SHAPE, size) < bound


def test_a_scan_goes_on_from_the_one_before_where_it_is_too_unlike_the_first(
    cells: list[Cell], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The way round by the scan before gives the same move as the way to the first."""
    cell, size = small_cell(), np.array(cells[0].voxel_size)
    listed = script().write_scans(small_cell(), Path(cells[0].mask.path).parent)
    registration = Registration(read_list(listed), cells)
    known = replace(registration.first(), move=Move(cell.turns[1], cell.shifts[1] * size, middle(cells[0])))
    tried: list[Agreement] = []

    def good(self: Registration, found: Agreement) -> bool:
        tried.append(found)
        return len(tried) > 1

    monkeypatch.setattr(Registration, "_good", good)
    found = registration.register(2, known)
    assert len(tried) == 2
    assert apart(found.move, Move(cell.turns[2], cell.shifts[2] * size, middle(cells[0])), SHAPE, size) < 0.3


def test_copies() -> None:
    assert factor_for((100, 200, 300), 8_000_000) == 1 and factor_for((400, 400, 400), 8_000_000) == 2
    values = np.arange(5 * 6 * 7, dtype=np.float32).reshape(5, 6, 7)
    assert in_blocks(values, 2)[1, 2, 0] == values[2:4, 4:6, :2].mean() and in_blocks(values, 2).shape == (2, 3, 3)

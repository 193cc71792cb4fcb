"""Rows of pieces that lie in many slabs, joined as they come: the table that scipy's labels give, as without that."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from custom.measuring import found as module
from custom.measuring.found import Found, Pieces
from custom.measuring.reading import Cell
from custom.stack import open_stack, slabs

SIZE = (1.0, 1.0, 1.0)


def pieces_of(path: Path, classes: int) -> Pieces:
    stack = open_stack(path)
    cell, found = Cell(stack, (1,), None, None, SIZE), Found(26, None, classes)
    for slab in cell.slabs(slabs(stack, 1)):
        found.add(found.of_slab(slab))
    return found.pieces(1.5)


@pytest.mark.parametrize(("few", "classes"), [(3, 1), (40, 1), (3, 0)])
def test_rows_joined_on_the_way_are_those_of_all(
    few: int, classes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mask = ndimage.gaussian_filter(np.random.default_rng(few).standard_normal((40, 30, 30)), 1.3) > 0.12
    np.save(tmp_path / "mask.npy", mask.astype(np.uint8))
    plain = pieces_of(tmp_path / "mask.npy", classes)
    monkeypatch.setattr(module, "_FEW", few)
    joined, calls = pieces_of(tmp_path / "mask.npy", classes), []
    monkeypatch.setattr(Found, "_join_rows", lambda self: calls.append(1))
    pieces_of(tmp_path / "mask.npy", classes)
    assert calls  # rows were joined, more than once
    labels, count = ndimage.label(mask, np.ones((3, 3, 3)))
    voxels = np.bincount(labels.ravel())[1:]
    np.testing.assert_array_equal(joined.table["voxels"], np.sort(voxels)[::-1])
    assert count == len(voxels) > 20
    np.testing.assert_array_equal(joined.numbers, plain.numbers)
    assert joined.table.keys() == plain.table.keys()
    for name, column in plain.table.items():
        np.testing.assert_allclose(joined.table[name], column, rtol=1e-12, err_msg=name)
        assert joined.table[name].dtype == column.dtype

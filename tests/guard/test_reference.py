"""What is kept of a training's slices, and read again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import MakeSet

from custom.data import labelled_slices
from custom.guard.border import border_steps
from custom.guard.figures import FIGURES, HISTOGRAM, VOXEL_SIZE, histogram, slice_figures
from custom.guard.looking import evenly
from custom.guard.reference import read_reference, reference_of
from custom.stack import open_stack


def test_scans_are_told_one_by_one_where_there_are_some(make_labelled_set: MakeSet) -> None:
    folder = make_labelled_set(stacks=(3, 2, 2, 2, 2))
    items = labelled_slices(folder)
    told: Any = reference_of(items)
    found = read_reference(json.loads(json.dumps(told)))
    assert found is not None and (found.units, found.slices) == ("scans", 11) and len(json.dumps(told)) < 3000
    assert set(found.figures) == set(FIGURES) - {HISTOGRAM, VOXEL_SIZE}
    planes = open_stack(items[0]["image"]).read(0, 3)
    window = items[0]["grey_window"]
    for name, values in found.figures.items():
        expected = np.mean([slice_figures(plane, window)[name] for plane in planes])
        assert len(values) == 5 and values[0] == pytest.approx(expected, rel=1e-3), name
    expected = np.mean([histogram(plane, window) for plane in planes], axis=0)
    np.testing.assert_allclose(found.histograms[0], expected, atol=1e-3)
    labels = open_stack(items[0]["label"], labels=True).read(0, 3)
    steps = np.sum([border_steps(*both, window, 1) for both in zip(labels, planes, strict=True)], axis=0)[0]
    assert found.border[0][0] == pytest.approx(steps[0] / steps[1], rel=5e-3)
    assert found.shares[0][0] == pytest.approx(labels.mean(), rel=5e-3)


@pytest.mark.parametrize("flat", [False, True])
def test_slices_count_one_by_one_where_scans_are_few(make_labelled_set: MakeSet, flat: bool) -> None:
    items = labelled_slices(make_labelled_set(stacks=(7,), flat=flat))
    found = read_reference(reference_of(items))
    assert found is not None and (found.units, found.slices, len(found.histograms)) == ("slices", 7, 7)


def test_nothing_is_made_of_files_that_a_client_lists(tmp_path: Path) -> None:
    assert reference_of([{"image": str(tmp_path / "a.tif"), "z": 0}]) is None


@pytest.mark.parametrize(
    "told",
    [None, 3, {}, {"figures": 1}, {"units": "scans", "slices": 1, "figures": {}, "histograms": [], "border": []}],
)
def test_what_is_no_reference_is_none(told: Any) -> None:
    assert read_reference(told) is None


def test_places_are_even() -> None:
    assert evenly(3, 5) == [0, 1, 2] and evenly(100, 4) == [12, 37, 62, 87]

"""Shape scores of a set of slices."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from custom.base.errors import BadInput
from custom.metrics import ShapeScores, shape_scores

CONVENTIONS = {"surface_dice": "abd", "hd95": "ab", "cldice": "abd", "component_error": "ab"}


def square(corner: int, side: int = 4) -> Any:
    mask = np.zeros((20, 24), dtype=np.uint8)
    mask[corner : corner + side, corner : corner + side] = side > 0
    return mask


PAIRS = [(square(3), square(4)), (square(8, 0), square(5)), (square(8, 0), square(8, 0)), (square(6), square(8, 0))]


def collected(pairs: list[Any] = PAIRS, **settings: Any) -> ShapeScores:
    scores = ShapeScores(**settings)
    for z, (pred, label) in enumerate(pairs):
        scores.add(("cell", 3 * z), pred, label)
    return scores


def test_slices_are_averaged_in_their_conventions() -> None:
    found = collected().summary()
    shapes = [shape_scores(pred == 1, label == 1) for pred, label in PAIRS]
    for name, conventions in CONVENTIONS.items():
        values = np.array([getattr(shape, name) for shape in shapes])
        assert found[f"{name}_a"] == pytest.approx(values.mean())
        assert found[f"{name}_b"] == pytest.approx(values[:2].mean())
        assert ("d" in conventions) == (f"{name}_d" in found)
    within, boundary = np.sum([shape.boundary for shape in shapes], axis=0)
    assert found["surface_dice_d"] == pytest.approx(within / boundary)
    inside, predicted, hit, true = np.sum([shape.centreline for shape in shapes], axis=0)
    assert found["cldice_d"] == pytest.approx(2 / (predicted / inside + true / hit))
    assert [found[f"n_{name}"] for name in ("slices", "empty", "missed", "unjudged")] == [4, 2, 1, 0]
    assert (found["components_true"], found["components_predicted"]) == (2, 2)


def test_ten_slices_of_which_one_is_missed() -> None:
    pairs = [(square(4), square(4))] * 9 + [(square(4, 0), square(4))]
    found = collected(pairs).summary()
    assert found["hd95_a"] == found["hd95_b"] == pytest.approx(np.hypot(20, 24) / 10)
    assert found["surface_dice_b"] == found["cldice_b"] == 0.9


def test_intervals_are_those_of_blocks_drawn_again() -> None:
    rng = np.random.default_rng(2)
    pairs = [((rng.random((12, 12)) < 0.4).astype(np.uint8), square(2)[:12, :12]) for _ in range(40)]
    found = collected(pairs).summary()
    values = np.array([shape_scores(pred == 1, label == 1).cldice for pred, label in pairs])
    blocks = [values[np.arange(40) * 3 // 8 == block] for block in range(15)]
    again = np.random.default_rng(9)
    means = [np.concatenate([blocks[i] for i in again.integers(0, 15, 15)]).mean() for _ in range(4000)]
    assert found["interval_95"]["cldice_a"] == pytest.approx(np.percentile(means, [2.5, 97.5]), abs=0.005)
    assert found["blocks"] == 15
    for name, (low, high) in found["interval_95"].items():
        assert low <= found[name] <= high


@pytest.mark.parametrize(
    ("size", "distance", "in_um"),
    [(None, 2.0, None), ((9.0, 0.5, 0.5), 2.0, 1.0), ((9.0, 1.5, 0.5), 6.0, 3.0)],
)
def test_distances_in_voxels_and_micrometres(size: Any, distance: float, in_um: float | None) -> None:
    label = np.zeros((9, 9), dtype=np.uint8)
    label[4] = 1
    scores = collected([(np.roll(label, 2, axis=0), label)], voxel_sizes={"cell": size})
    found = scores.summary()
    assert found["hd95_a"] == pytest.approx(distance)
    assert found.get("hd95_um_b") == (None if in_um is None else pytest.approx(in_um))
    assert collected([(label, label)], tolerance=distance).summary()["surface_dice_a"] == 1.0


def test_no_micrometres_where_one_stack_has_none() -> None:
    scores = ShapeScores(voxel_sizes={"cell": (1, 1, 1), "other": None})
    for stack in ("cell", "other"):
        scores.add((stack, 0), square(3), square(3))
    assert not any("um" in name for name in scores.summary())


def test_slices_without_the_class_or_a_label() -> None:
    scores = ShapeScores()
    unlabelled = np.full((20, 24), 255, dtype=np.uint8)
    assert set(scores.add(("cell", 0), square(3), unlabelled).values()) == {None}
    assert scores.summary() == {}
    scores.add(("cell", 1), square(3, 0), square(3, 0))
    found = scores.summary()
    assert found["n_slices"] == found["surface_dice_a"] == found["cldice_d"] == 1
    assert found["hd95_b"] is None
    assert found["interval_95"]["hd95_b"] == [None, None]


def test_one_class_of_several() -> None:
    label = square(3) + 2 * square(12)
    pred = square(3) + 2 * square(13)
    columns = [ShapeScores(tolerance=0).add(("cell", 0), pred, label, value) for value in (1, 2)]
    assert columns[0]["surface_dice"] == 1.0
    assert 0 < columns[1]["surface_dice"] < 1


def test_there_is_no_score_without_a_tolerance() -> None:
    with pytest.raises(BadInput, match="--boundary_tolerance null: cannot be; give a number"):
        ShapeScores(tolerance=None)

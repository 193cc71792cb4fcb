"""Overlap of several classes against scikit-learn's scores of each one against the rest."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.metrics import f1_score, jaccard_score

from custom.base.errors import BadInput
from custom.metrics import PatchOverlap, class_tile_counts, overlap_scores, tile_counts

NAMES = ("electrode", "pit", "dendrite", "impurity")  # of impurity there is none
KINDS = [f"{name}_{convention}" for name in ("dsc", "iou") for convention in "abcd"]


def random_classes(seed: int, shape: tuple[int, ...] = (70, 90)) -> tuple[np.ndarray, np.ndarray]:
    """Prediction and label with an empty and a wholly unlabelled 32-voxel tile; class 2 is missed completely."""
    rng = np.random.default_rng(seed)
    label = rng.integers(0, 4, shape).astype(np.uint8)
    pred = np.where(rng.random(shape) < 0.3, rng.integers(0, 4, shape), label).astype(np.uint8)
    pred[pred == 2] = 3
    label[..., :32, :32] = pred[..., :32, :32] = 0
    label[rng.random(shape) < 0.2] = 255
    label[..., 32:64, 32:64] = 255
    return pred, label


def tiles_of(pred: np.ndarray, label: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    cut = [
        (pred[y : y + 32, x : x + 32], label[y : y + 32, x : x + 32])
        for y in range(0, label.shape[0], 32)
        for x in range(0, label.shape[1], 32)
    ]
    return [(p[t != 255], t[t != 255]) for p, t in cut if (t != 255).any()]


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32, torch.bfloat16])
def test_each_class_scores_as_scikit_learn_has_it_and_the_mean_is_over_those_that_have_the_score(
    dtype: torch.dtype,
) -> None:
    pred, label = random_classes(0)
    metric = PatchOverlap(patch=32, classes=NAMES)
    metric(*(torch.from_numpy(part).to(dtype)[None, None] for part in (pred, label)))
    each, tiles, known = metric.class_scores(), tiles_of(pred, label), label != 255
    assert list(each) == list(NAMES) and metric.get_buffer().shape == (len(tiles), 4, 4) == (8, 4, 4)
    for value, name in enumerate(NAMES, 1):
        binary = [((t == value), (p == value)) for p, t in tiles]
        for kind, of in (("dsc", f1_score), ("iou", jaccard_score)):
            scores = [of(t, p, zero_division=1) for t, p in binary]
            held = [score for score, (t, _) in zip(scores, binary, strict=True) if t.any()]
            rest = [of(~t, ~p, zero_division=1) for t, p in binary]
            assert each[name][f"{kind}_a"] == pytest.approx(np.mean(scores))
            assert each[name][f"{kind}_b"] == (pytest.approx(np.mean(held)) if held else None)
            assert each[name][f"{kind}_c"] == pytest.approx(np.mean([scores, rest]))
            pooled = of(label[known] == value, pred[known] == value, zero_division=1)
            assert each[name][f"{kind}_d"] == pytest.approx(pooled)
    assert each["pit"]["dsc_b"] == each["pit"]["dsc_d"] == 0.0  # missed: the worst, and in the mean
    means = metric.scores()
    for kind in KINDS:
        values = [row[kind] for row in each.values() if row[kind] is not None]
        assert means[kind] == pytest.approx(np.mean(np.array(values, float)))
        assert len(values) == (3 if kind.endswith("_b") else 4)
    assert (means["n_patches"], means["n_empty"]) == (8, 1)
    assert metric.aggregate().item() == means["dsc_a"]


def test_one_class_of_several_is_counted_as_if_it_were_alone() -> None:
    pred, label = random_classes(1, (2, 70, 90))
    counts = class_tile_counts(pred, label, 3, 32)
    for value in (1, 2, 3):
        alone = np.where(label == 255, 255, label == value).astype(np.uint8)
        assert torch.equal(counts[:, value - 1], tile_counts(pred == value, alone, 32))
    binary, truth = (pred == 1).astype(np.uint8), np.where(label == 255, 255, label == 1).astype(np.uint8)
    metric = PatchOverlap(patch=32)
    metric(torch.from_numpy(binary)[None], torch.from_numpy(truth)[None])
    assert metric.class_scores() == {"lithium": metric.scores()} == {"lithium": overlap_scores(counts[:, 0])}


@pytest.mark.parametrize(
    ("pred", "label", "message"),
    [
        (
            torch.full((4, 4), 4),
            torch.zeros(4, 4),
            "Prediction holds the value 4, but may hold only whole numbers from 0 to 3",
        ),
        (torch.full((4, 4), 0.5), torch.zeros(4, 4), "0.5.*arg max"),
        (torch.full((4, 4), float("nan")), torch.zeros(4, 4), "nan"),
        (torch.zeros(4, 4), torch.full((4, 4), 7), "Label holds the value 7"),
    ],
)
def test_values_of_no_class_are_refused(pred: torch.Tensor, label: torch.Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        class_tile_counts(pred, label, 3)


def test_slices_without_a_labelled_voxel_are_passed_over_and_alone_refused() -> None:
    metric = PatchOverlap(patch=32, classes=("pit", "dendrite"))
    assert metric.get_buffer().shape == (0, 2, 4)
    metric(torch.zeros(1, 1, 32, 32), torch.full((1, 1, 32, 32), 255))
    with pytest.raises(BadInput, match="no labelled voxel"):
        metric.aggregate()
    metric(torch.zeros(1, 1, 32, 32), torch.ones(1, 1, 32, 32))
    assert metric.scores()["dsc_a"] == 0.5  # pit missed in the one tile, dendrite neither there nor found
    metric.reset()
    assert metric.get_buffer().shape == (0, 2, 4)

"""Tile counts and overlap scores against scikit-learn, MONAI's DiceMetric and hand-made numbers."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from ignite.engine import Engine
from monai.handlers import IgniteMetricHandler
from monai.metrics import DiceMetric
from sklearn.metrics import confusion_matrix, f1_score, jaccard_score

from custom.base.errors import BadInput
from custom.metrics import PatchOverlap, overlap_scores, pooled_scores, tile_counts

Arrays = tuple[np.ndarray, np.ndarray]


def random_slice(seed: int, shape: tuple[int, ...] = (70, 90), unlabelled: float = 0.2) -> Arrays:
    """Prediction and label with empty, full, mixed and wholly unlabelled 32-voxel tiles."""
    rng = np.random.default_rng(seed)
    label = (rng.random(shape) < rng.random() * 0.5).astype(np.uint8)
    pred = np.where(rng.random(shape) < 0.2, 1 - label, label)
    label[..., :32, :32] = pred[..., :32, :32] = 0
    label[..., :32, 32:64], pred[..., :32, 32:64] = 0, 1
    label[..., 32:64, :32], pred[..., 32:64, :32] = 1, 0
    label[rng.random(shape) < unlabelled] = 255
    label[..., 32:64, 32:64] = 255
    return pred, label


def labelled_tiles(pred: np.ndarray, label: np.ndarray, patch: int = 32) -> list[Arrays]:
    """The tiles as a reader would cut them by hand: 1-D values of labelled voxels, empty tiles left out."""
    tiles = []
    for y in range(0, label.shape[0], patch):
        for x in range(0, label.shape[1], patch):
            p, t = pred[y : y + patch, x : x + patch], label[y : y + patch, x : x + patch]
            if (t != 255).any():
                tiles.append((p[t != 255], t[t != 255]))
    return tiles


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32, torch.bfloat16, torch.int64])
def test_tile_counts_equal_scikit_learn(seed: int, dtype: torch.dtype) -> None:
    pred, label = random_slice(seed)
    expected = [confusion_matrix(t, p, labels=[1, 0]).ravel()[[0, 2, 1, 3]] for p, t in labelled_tiles(pred, label)]
    counts = tile_counts(torch.from_numpy(pred).to(dtype), torch.from_numpy(label).to(dtype), patch=32)
    assert counts.dtype == torch.int64
    assert counts.shape == (8, 4)  # 3 x 3 tiles, the middle one unlabelled
    np.testing.assert_array_equal(counts.numpy(), np.stack(expected))


def test_tile_counts_take_leading_axes_numpy_and_bool() -> None:
    pred, label = random_slice(0, (2, 1, 70, 90))
    each = torch.cat([tile_counts(p, t, 32) for p, t in zip(pred[:, 0], label[:, 0], strict=True)])
    assert torch.equal(tile_counts(pred, label, 32), each)
    assert torch.equal(tile_counts(pred.astype(bool), label, 32), each)


def test_a_slice_smaller_than_a_tile_is_one_tile() -> None:
    pred, label = random_slice(1, (48, 60))
    assert tile_counts(pred, label).shape == (1, 4)
    assert tile_counts(pred, label).sum() == (label != 255).sum()


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("name", "reference"), [("dsc", f1_score), ("iou", jaccard_score)], ids=["f1_score", "jaccard_score"]
)
def test_scores_equal_scikit_learn(seed: int, name: str, reference: Callable[..., float]) -> None:
    pred, label = random_slice(seed)
    tiles = labelled_tiles(pred, label)
    foreground = [reference(t, p, pos_label=1, zero_division=1) for p, t in tiles]
    background = [reference(t, p, pos_label=0, zero_division=1) for p, t in tiles]
    lithium = [s for s, (_, t) in zip(foreground, tiles, strict=True) if t.any()]
    scored = label != 255

    scores = overlap_scores(tile_counts(pred, label, patch=32))
    assert scores[f"{name}_a"] == pytest.approx(np.mean(foreground), abs=1e-12)
    assert scores[f"{name}_b"] == pytest.approx(np.mean(lithium), abs=1e-12)
    assert scores[f"{name}_c"] == pytest.approx(np.mean([foreground, background]), abs=1e-12)
    assert scores[f"{name}_d"] == pytest.approx(reference(label[scored], pred[scored]), abs=1e-12)
    assert (scores["n_patches"], scores["n_empty"]) == (len(tiles), len(tiles) - len(lithium))
    assert scores["n_empty"]  # otherwise a and b would be the same thing


@pytest.mark.parametrize(("ignore_empty", "key"), [(False, "dsc_a"), (True, "dsc_b")])
def test_scores_equal_monai_dice(ignore_empty: bool, key: str) -> None:
    pred, label = random_slice(5, (3, 1, 64, 64), unlabelled=0.0)
    label[label == 255] = 0
    tiles = [torch.from_numpy(a).unfold(2, 32, 32).unfold(3, 32, 32).reshape(-1, 1, 32, 32) for a in (pred, label)]
    dice = DiceMetric(ignore_empty=ignore_empty)
    dice(y_pred=tiles[0], y=tiles[1])
    mean_dice = dice.aggregate()
    assert isinstance(mean_dice, torch.Tensor)
    assert overlap_scores(tile_counts(pred, label, 32))[key] == pytest.approx(mean_dice.item(), abs=1e-6)


def test_mean_iou_lies_between_its_bounds() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        counts = torch.from_numpy(rng.integers(0, rng.integers(1, 50), (rng.integers(1, 30), 4)))
        scores = overlap_scores(counts)
        for convention in "abcd":
            dsc, iou = scores[f"dsc_{convention}"], scores[f"iou_{convention}"]
            if dsc is not None and iou is not None:
                assert dsc / (2 - dsc) - 1e-12 <= iou <= dsc + 1e-12


def test_a_worked_example() -> None:
    """Four tiles: half found, empty and found empty, empty with a false alarm, all missed; and one unlabelled row."""
    counts = torch.tensor([[5, 5, 5, 5], [0, 0, 0, 20], [0, 1, 0, 19], [0, 0, 20, 0], [0, 0, 0, 0]])
    scores = overlap_scores(counts)
    assert scores["dsc_a"] == pytest.approx((0.5 + 1 + 0 + 0) / 4)
    assert scores["dsc_b"] == pytest.approx((0.5 + 0) / 2)
    assert scores["iou_c"] == pytest.approx((1 / 3 + 1 + 0 + 0 + 1 / 3 + 1 + 19 / 20 + 0) / 8)
    assert scores["iou_d"] == pytest.approx(5 / (5 + 6 + 25))
    assert (scores["n_patches"], scores["n_empty"]) == (4, 2)
    pooled = pooled_scores(counts)
    assert [pooled[key] for key in ("tp", "fp", "fn", "tn")] == [5, 6, 25, 44]
    assert (pooled["lithium_voxels_true"], pooled["lithium_voxels_predicted"]) == (30, 11)
    assert (pooled["dsc"], pooled["iou"]) == pytest.approx((10 / 41, 5 / 36))


def test_undefined_scores_are_none() -> None:
    nothing = overlap_scores(torch.zeros(2, 4, dtype=torch.int64))
    assert nothing.pop("n_patches") == nothing.pop("n_empty") == 0
    assert set(nothing.values()) == {None}
    empty = overlap_scores(torch.tensor([[0, 0, 0, 9]]))
    assert empty["dsc_b"] is empty["iou_b"] is None
    assert empty["dsc_a"] == empty["iou_c"] == empty["dsc_d"] == 1.0
    assert pooled_scores(torch.zeros(0, 4, dtype=torch.int64))["dsc"] is None


@pytest.mark.parametrize(
    ("pred", "label", "message"),
    [
        (torch.full((4, 4), 0.3), torch.zeros(4, 4), "0.3.*threshold"),
        (torch.full((4, 4), float("nan")), torch.zeros(4, 4), "nan.*threshold"),
        (torch.zeros(4, 4), torch.full((4, 4), 2), "Label holds the value 2"),
        (torch.zeros(4, 4), torch.zeros(1, 4, 4), r"\(4, 4\) and \(1, 4, 4\)"),
    ],
)
def test_impossible_values_are_refused(pred: torch.Tensor, label: torch.Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tile_counts(pred, label)


def test_metric_takes_batches_and_lists_of_differing_sizes() -> None:
    pairs = [random_slice(seed, (1, *shape)) for seed, shape in enumerate([(70, 90), (33, 32), (40, 100)])]
    preds, labels = ([torch.from_numpy(a) for a in arrays] for arrays in zip(*pairs, strict=True))
    counts = torch.cat([tile_counts(p, t, 32) for p, t in pairs])

    metric = PatchOverlap(patch=32)
    metric(preds, labels)
    assert torch.equal(metric.get_buffer(), counts)
    assert metric.scores() == overlap_scores(counts)
    assert metric.aggregate().shape == ()
    assert metric.aggregate().item() == metric.scores()["dsc_a"]

    metric(preds[0][None], labels[0][None])
    assert torch.equal(metric.get_buffer(), torch.cat([counts, counts[:8]]))
    metric.reset()
    assert metric.get_buffer().shape == (0, 4)


def test_metric_refuses_to_score_nothing_but_passes_over_unlabelled_slices() -> None:
    metric = PatchOverlap(patch=32)
    metric(torch.zeros(1, 1, 32, 32), torch.full((1, 1, 32, 32), 255))
    with pytest.raises(BadInput, match="no labelled voxel"):
        metric.aggregate()
    metric(torch.zeros(1, 1, 32, 32), torch.zeros(1, 1, 32, 32))
    assert metric.aggregate().item() == 1.0


def test_metric_under_ignite() -> None:
    pairs = [random_slice(seed, (2, 1, 70, 90)) for seed in range(3)]
    counts = torch.cat([tile_counts(p, t, 32) for p, t in pairs])
    engine = Engine(lambda _, batch: tuple(torch.from_numpy(a) for a in batch))
    IgniteMetricHandler(PatchOverlap(patch=32)).attach(engine, "mdsc")
    state = engine.run(pairs, max_epochs=2)  # the second epoch starts from nothing again
    assert state.metrics["mdsc"] == overlap_scores(counts)["dsc_a"]
    assert torch.equal(vars(state)["metric_details"]["mdsc"], counts)


def score_on_one_rank(rank: int, folder: Path) -> None:
    """Rank 1 holds fewer tiles than rank 0 in the first round, and none at all in the second."""
    torch.distributed.init_process_group("gloo", f"file://{folder / 'meeting'}", rank=rank, world_size=2)
    results = []
    for shapes in ([(70, 90), (32, 32)], [(70, 90), None]):
        metric = PatchOverlap(patch=32)
        if (shape := shapes[rank]) is not None:
            metric(*(torch.from_numpy(a)[None, None] for a in random_slice(rank, shape)))
        results.append(metric.get_buffer())
        assert metric.aggregate().item() == overlap_scores(results[-1])["dsc_a"]
    torch.save(results, folder / f"rank{rank}.pt")
    torch.distributed.destroy_process_group()


def test_metric_gathers_over_ranks(tmp_path: Path) -> None:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["custom.metrics", "monai.handlers", "sklearn.metrics"])
    ranks = [context.Process(target=score_on_one_rank, args=(rank, tmp_path)) for rank in range(2)]
    for process in ranks:
        process.start()
    for process in ranks:
        process.join(timeout=60)
    assert [process.exitcode for process in ranks] == [0, 0]

    first, second = (tile_counts(*random_slice(rank, shape), 32) for rank, shape in enumerate([(70, 90), (32, 32)]))
    for rank in range(2):
        results = torch.load(tmp_path / f"rank{rank}.pt", weights_only=True)
        assert torch.equal(results[0], torch.cat([first, second]))
        assert torch.equal(results[1], first)

"""An evaluation of several classes, against scikit-learn and against each class judged alone."""

from __future__ import annotations

import csv
import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from ignite.engine import Engine
from PIL import Image
from scipy.special import softmax
from sklearn.metrics import confusion_matrix, f1_score

from custom.handlers import Evaluation
from custom.metrics import PatchOverlap, overlap_scores, shape_scores, tile_counts
from custom.metrics.grey_window import best_grey_window

NAMES = ("pit", "dendrite", "in/active")


def slices(count: int = 20) -> list[dict[str, Any]]:
    """Blocky slices of one stack, three of four predictions right; the third class is never predicted."""
    rng = np.random.default_rng(0)
    items = []
    for z in range(count):
        label = np.kron(rng.integers(0, 4, (4, 6)), np.ones((8, 8))).astype(np.uint8)
        image = np.float32(label / 4 + rng.normal(0, 0.02, label.shape)).clip(0, 1)
        logits = rng.normal(0, 1, (4, *label.shape)).astype(np.float32)
        logits[label, *np.indices(label.shape)] += 2
        logits[3] -= 50
        label[0, :5] = 255
        found = {"image": torch.tensor(image)[None], "label": torch.tensor(label)[None], "logits": torch.tensor(logits)}
        items.append(found | {"pred": found["logits"].argmax(0, keepdim=True), "stem": "cell", "z": z})
    return items


def evaluated(folder: Path, items: list[dict[str, Any]], **options: Any) -> dict[str, Any]:
    metric = PatchOverlap(16, NAMES)
    engine = Engine(lambda _, batch: batch)
    for item in items:
        metric(item["pred"][None], item["label"][None])
    Evaluation(metric, folder, {"section": "test"}, pictures=4, **options).attach(engine)
    engine.run([[item] for item in items], epoch_length=len(items))
    found: dict[str, Any] = json.loads((folder / "metrics.json").read_text())
    return found


def test_each_class_has_the_scores_of_each_scan(tmp_path: Path) -> None:
    items = [item | {"stem": f"s{z}"} for z, item in enumerate(slices())]
    found = evaluated(tmp_path, items, scans={item["stem"]: "ab"[z % 2] for z, item in enumerate(items)})
    for value, row in enumerate(found["classes"].values(), 1):
        for first, scan in enumerate("ab"):
            truth, mask = (np.stack([item[key].numpy() for item in items[first::2]]) for key in ("label", "pred"))
            truth, mask = truth[truth != 255] == value, mask[truth != 255] == value
            assert row["scans"][scan]["dsc_d"] == pytest.approx(f1_score(truth, mask, zero_division=1))
            amounts = (row["scans"][scan]["voxels_true"], row["scans"][scan]["voxels_predicted"])
            assert amounts == (truth.sum(), mask.sum()) and "lithium_voxels_true" not in row["scans"][scan]


def test_metrics_of_several_classes(tmp_path: Path) -> None:
    items = slices()
    found = evaluated(tmp_path, items)
    pred, label, logits, image = (
        np.stack([item[key].numpy() for item in items]) for key in ("pred", "label", "logits", "image")
    )
    known = label[:, 0] != 255
    matrix = confusion_matrix(label[:, 0][known], pred[:, 0][known], labels=range(4))
    assert found["confusion"] == {"labels": ["background", *NAMES], "voxels": matrix.tolist()}
    assert list(found["classes"]) == list(NAMES)
    for value, row in enumerate(found["classes"].values(), 1):
        truth, mask = label[:, 0][known] == value, pred[:, 0][known] == value
        assert row["dsc_d"] == pytest.approx(f1_score(truth, mask))
        assert (row["voxels_true"], row["voxels_predicted"]) == (truth.sum(), mask.sum())
        assert row["volume_error"] == pytest.approx(mask.sum() / truth.sum() - 1)
        alone = np.where(label == 255, 255, label == value)
        assert row["dsc_b"] == overlap_scores(tile_counts((pred == value), alone, 16))["dsc_b"]
        low, high = row["interval_95"]["dsc_b"]
        assert low <= row["dsc_b"] <= high
        probability = softmax(logits, axis=1)[:, value][known]
        low, high = ((probability >= threshold).sum() for threshold in (0.7, 0.3))
        assert (row["voxels_low"], row["voxels_high"]) == (low, high)
        assert row["true_volume_in_range"] == (low <= truth.sum() <= high)
        bins = np.minimum((probability * 20).astype(int), 19)
        gaps = [abs((probability[bins == i] - truth[bins == i]).sum()) for i in range(20)]
        assert row["calibration_error"] == pytest.approx(sum(gaps) / known.sum(), abs=1e-5)
        assert sum(part["share"] * part["voxels"] for part in row["reliability"]) == pytest.approx(truth.sum())
        one = [shape_scores(p[0] == value, t[0] == value, t[0] != 255) for p, t in zip(pred, label, strict=True)]
        assert row["shape"]["cldice_a"] == pytest.approx(np.mean([shape.cldice for shape in one]))
        assert row["shape"]["surface_dice_b"] == pytest.approx(
            np.mean([shape.surface_dice for shape in one if shape.present])
        )
        window = best_grey_window(np.rint(image[:, 0] * 65535), alone[:, 0])
        assert row["best_grey_window"]["dsc_d"] == pytest.approx(window[2])
        assert row["best_grey_window"]["from"] == pytest.approx(window[0] / 65535)
    missed = found["classes"]["in/active"]
    assert missed["dsc_b"] == missed["dsc_d"] == missed["shape"]["surface_dice_b"] == 0.0
    assert missed["shape"]["n_missed"] == found["shape"]["n_missed"] > 0
    for key in ("dsc_b", "iou_c", "calibration_error"):
        assert found[key] == pytest.approx(np.mean([row[key] for row in found["classes"].values()]))
    for key in ("hd95_b", "surface_dice_b", "cldice_d"):
        assert found["shape"][key] == pytest.approx(np.mean([row["shape"][key] for row in found["classes"].values()]))
    assert found["blocks"] == 3 and found["interval_95"]["dsc_a"][0] < found["dsc_a"] < found["interval_95"]["dsc_a"][1]
    assert not [name for name in found if name.startswith("lithium")] and "undefined" not in found


def test_files_of_several_classes(tmp_path: Path) -> None:
    items = slices(5)
    evaluated(tmp_path, items)
    with open(tmp_path / "per_slice.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["z"], row["class"]) for row in rows] == [(str(z), name) for z in range(5) for name in NAMES]
    for row, (item, value) in zip(rows, ((item, value) for item in items for value in (1, 2, 3)), strict=True):
        label, pred = item["label"].numpy(), item["pred"].numpy()
        assert int(row["voxels_true"]) == (label == value).sum()
        assert int(row["voxels_predicted"]) == ((pred == value) & (label != 255)).sum()
    names = sorted(path.name for path in (tmp_path / "overlays").iterdir())
    assert len([name for name in names if name.startswith("cell_z")]) == 4
    assert [name[:12] for name in names if not name.startswith("cell")] == [
        "1_pit_cell_z",
        "2_dendrite_c",
        "3_in_active_",
    ]
    most = max(items, key=lambda item: int((item["label"] == 2).sum()))
    picture = np.asarray(Image.open(tmp_path / f"overlays/2_dendrite_cell_z{most['z']:04d}.png"))
    assert picture.shape[1] == 480  # 48 voxels, magnified


def test_a_class_that_is_not_there_is_left_out_of_the_means_and_that_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    items = slices(3)
    for item in items:
        item["label"][item["label"] == 3] = 0
    with caplog.at_level(logging.INFO):
        found = evaluated(tmp_path, items)
    words = "dsc_b, iou_b, volume_error of in/active: no voxel of this side is labelled in/active"
    assert found["undefined"] == words
    assert f"{words}; the means are over the other classes." in caplog.messages
    row = found["classes"]["in/active"]
    assert row["dsc_b"] is row["best_grey_window"] is None and row["interval_95"]["dsc_b"] == [None, None]
    assert found["dsc_b"] == pytest.approx(np.mean([found["classes"][name]["dsc_b"] for name in ("pit", "dendrite")]))
    (report,) = [message for message in caplog.messages if message.startswith("class ")]
    line = next(line for line in report.splitlines() if line.startswith("in/active  "))
    assert line.split()[1:3] == ["-", "[-]"] and line.split()[-1] == "-"

"""The report of a study of several classes, made from what its commands would have left, against counts of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from cli import ROOT
from monai.bundle import ConfigParser
from scipy.special import softmax
from sklearn.metrics import f1_score

from custom.data import Reading
from custom.study.plan import NETWORKS, TRAINED, Study
from custom.study.report import write_report
from custom.study.search import search_blend
from custom.study.slices import LabelledSlice, split_of
from custom.study.stack import choose_stack
from custom.study.table1 import class_table

NAMES = ("pit", "dead $lithium")
SHAPE = (4, 40, 50)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """A data set of three stacks and the files of four networks, each with noise of its own."""
    folder = tmp_path_factory.mktemp("study")
    rng = np.random.default_rng(0)
    labels = {}
    for name in "abc":
        label = np.kron(rng.integers(0, 3, (4, 4, 5)), np.ones((1, 10, 10))).astype(np.uint8)
        label[1, :4] = 255
        labels[name] = label
        grey = (label % 255 * 100 + rng.integers(0, 50, SHAPE)).astype(np.uint16)
        for kind, voxels in (("images", grey), ("labels", label)):
            (folder / "cells" / kind).mkdir(parents=True, exist_ok=True)
            tifffile.imwrite(folder / "cells" / kind / f"{name}.tif", voxels, photometric="minisblack")
    (folder / "cells/splits.json").write_text(json.dumps({"train": ["a"], "val": ["b"], "test": ["c"]}))
    study = Study(folder / "cells", folder / "out", reading=Reading(classes=NAMES))
    for network in NETWORKS:
        for section, name in (("val", "b"), ("test", "c")):
            leave_evaluation(study.folder(network, section), name, labels[name], rng)
        leave_the_rest(study, network, labels["c"], rng)
    return study


def leave_evaluation(folder: Path, name: str, label: np.ndarray, rng: np.random.Generator) -> None:
    (folder / "probability").mkdir(parents=True)
    for z, plane in enumerate(label):
        right = 2.0 * (np.arange(3)[:, None, None] == plane)
        kept = softmax(right + rng.normal(0, 1.5, (3, *plane.shape)), axis=0).astype(np.float32)
        np.save(folder / "probability" / f"{name}_z{z:04d}.npy", kept)
    bins = [{"from": 0.0, "to": 0.5, "voxels": 7, "mean_probability": 0.3, "share": 0.2}]
    each = {"calibration_error": 0.1, "volume_error": None, "reliability": bins, "best_grey_window": {"dsc_d": 0.9876}}
    found = {
        "threshold": None,
        "calibration_error": 0.1,
        "iou_a": 0.5,
        "dsc_a": 0.6,
        "classes": dict.fromkeys(NAMES, each),
    }
    (folder / "metrics.json").write_text(json.dumps(found))


def leave_the_rest(study: Study, network: Any, label: np.ndarray, rng: np.random.Generator) -> None:
    for part in ("cost", "stack"):
        study.folder(network, part).mkdir()
    cost = {"parameters": 1, "gflop_per_patch": 1.0, "ms_per_patch": 1.0, "s_per_mvoxel": 1.0, "device": "CPU"}
    (study.folder(network, "cost/cost.json")).write_text(json.dumps(cost | {"threads": 1, "bulk_size": [4, 5]}))
    mask = np.where(rng.random(SHAPE) < 0.7, np.where(label == 255, 2, label), 0).astype(np.uint8)
    tifffile.imwrite(study.folder(network, "stack/mask.tif"), mask, photometric="minisblack")
    classes = {
        name: {"voxels": int((mask == v).sum()), "volume_fraction": float((mask == v).mean())}
        for v, name in enumerate(NAMES, 1)
    }
    summary = {"voxels": mask.size, "classes": classes, "mask": "mask.tif", "grey_window": [0, 250]}
    study.folder(network, "stack/summary.json").write_text(json.dumps(summary))
    if network in TRAINED:
        study.folder(network, "metrics.csv").write_text("epoch,minutes,train_loss,val_loss\n1,0.1,1,1\n")
        study.folder(network, "model.json").write_text(json.dumps({"temperature": 1.5}))


def test_the_blend_is_searched_over_the_mean_of_the_classes_and_reported_for_each(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom.study.figures.drawing.DPI", 40)
    split = split_of(study)
    val = [LabelledSlice(item) for item in split["val"]]
    search = search_blend(study, ROOT, val)
    best = np.array(list(search["best_iou_a"]["blend"].values()))
    truth = np.concatenate([piece.label[piece.label != 255] for piece in val])

    def dice(shares: np.ndarray, side: str, pieces: list[LabelledSlice]) -> list[float]:
        kept = []
        for piece in pieces:
            members = [piece.probability(study.folder(network, side)) for network in TRAINED]
            kept.append(np.einsum("m,mcyx->cyx", shares, members).argmax(0)[piece.label != 255])
        return [float(f1_score(truth == value, np.concatenate(kept) == value)) for value in (1, 2)]

    # members with noise of their own are better together
    assert min(best) >= 0.2 and np.mean(dice(best, "val", val)) > max(
        np.mean(dice(np.eye(3)[i], "val", val)) for i in range(3)
    )
    blend = ConfigParser.load_config_file(study.enet_overlay)["blend"]
    assert blend == pytest.approx(best)

    stack = choose_stack(study, split)
    found = write_report(study, split, stack)
    test = [LabelledSlice(item) for item in split["test"]]
    truth = np.concatenate([piece.label[piece.label != 255] for piece in test])
    for network, row in found["table1"].items():
        kept = [piece.probability(study.output_dir / network / "test") for piece in test]
        masks = [one.argmax(0)[piece.label != 255] for one, piece in zip(kept, test, strict=True)]
        each = [f1_score(truth == value, np.concatenate(masks) == value) for value in (1, 2)]
        assert [row["classes"][name]["scores"]["dsc_d"] for name in NAMES] == pytest.approx(each)
        assert row["scores"]["dsc_d"] == pytest.approx(np.mean(each))
    table = class_table(found["table1"], "dsc_d")
    assert table.head[1:] == ["mDSC (d): pit", "mDSC (d): dead $lithium"] and table.body[-1] == [
        "best grey window",
        "0.9876",
        "0.9876",
    ]
    amounts, label = found["table2"], tifffile.imread(study.dataset_dir / "labels/c.tif")
    assert amounts["truth"]["classes"]["pit"]["voxels"] == (label == 1).sum()
    mask = tifffile.imread(study.output_dir / "unet/stack/mask.tif")
    lithium = amounts["networks"]["unet"]["classes"]["dead $lithium"]
    assert lithium["labelled"] == ((mask == 2) & (label != 255)).sum()
    assert lithium["error"] == pytest.approx(lithium["labelled"] / (label == 2).sum() - 1)
    told = (study.output_dir / "study.md").read_text()
    assert told.startswith("# pit, dead $lithium in X-ray CT") and "best grey window" in told
    assert "lithium" not in told.replace("dead $lithium", "")
    for picture in ("figure_06", "figure_11", "figure_12", "calibration"):
        assert (study.output_dir / f"{picture}.png").stat().st_size > 3_000

"""A whole training of several classes through the bundle, with each network: its files, going on with it, its evaluation."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import cli
import numpy as np
import pytest
import tifffile
import torch

pytestmark = pytest.mark.slow

CLASSES = ["pit", "dendrite", "cell"]
NETWORKS = [None, *sorted(path.stem for path in (cli.ROOT / "bundle/configs").glob("network_*.json"))]
TRAINED = [name for name in NETWORKS if name != "network_enet"]
SMALL: dict[str, Any] = {
    "classes": CLASSES,
    "patch_size": 32,
    "max_minutes": 0,
    "precision": "fp32",
}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five slices of 48 x 48, each of the classes brighter than the one before."""
    folder = tmp_path_factory.mktemp("data") / "cells"
    grey = cli.volume((5, 48, 48), seed=1)
    label = np.digitize(grey, np.percentile(grey, (50, 70, 90))).astype(np.uint8)
    label[:, :4] = 255
    for kind, voxels in (("images", grey), ("labels", label)):
        (folder / kind).mkdir(parents=True)
        tifffile.imwrite(folder / kind / "cell.tif", voxels, photometric="minisblack")
    return folder


def rows(folder: Path) -> list[dict[str, str]]:
    with open(folder / "metrics.csv", newline="") as handle:
        return list(csv.DictReader(handle))


@pytest.mark.parametrize("overlay", TRAINED)
def test_a_network_trains_on_classes_and_goes_on(overlay: str | None, dataset: Path, tmp_path: Path) -> None:
    overlays = [overlay] if overlay else []
    for epochs in (1, 2):
        outcome = cli.train(dataset, tmp_path, *overlays, **SMALL, max_epochs=epochs, resume=epochs == 2)
        assert outcome.code == 0, outcome.error
    assert [row["epoch"] for row in rows(tmp_path)] == ["1", "2"]
    for row in rows(tmp_path):
        assert 0 <= float(row["val_mdsc"]) <= 1 and 0 < float(row["val_loss"]) < 5
        assert 0.05 <= float(row["temperature"]) <= 20
        each = [float(row[f"mdsc_{name}"]) for name in CLASSES]
        assert sum(each) / 3 == pytest.approx(float(row["val_mdsc"]))
    assert f"worst {min(each):.4f}" in outcome.output and "That is the mean of its classes: pit " in outcome.output
    record = json.loads((tmp_path / "model.json").read_text())
    assert record["classes"] == CLASSES
    assert (record["temperature"] is None) == (overlay == "network_monai_unet")  # more than one layer makes its logits
    model, checkpoint = (torch.load(tmp_path / name, weights_only=True) for name in ("model.pt", "checkpoint.pt"))
    assert checkpoint["trainer"]["epoch"] == 2 and checkpoint["record"]["classes"] == CLASSES
    shapes = {key: value.shape for key, value in checkpoint["network"].items()}
    assert {key: value.shape for key, value in model.items()} == shapes
    one = cli.parser_of("train", *overlays).get_parsed_content("network_def").state_dict()
    last = {key for key in one if one[key].shape != shapes[key]}
    assert last and all(1 + len(CLASSES) in shapes[key] and 1 in one[key].shape for key in last)
    scored = cli.evaluated_as_printed(outcome, tmp_path)
    assert list(scored["classes"]) == CLASSES
    assert np.mean([scored["classes"][name]["dsc_a"] for name in CLASSES]) == pytest.approx(scored["dsc_a"])


def test_a_training_of_other_classes_does_not_go_on(dataset: Path, tmp_path: Path) -> None:
    tiny = {**SMALL, "network_def": {**cli.TINY, "out_channels": "@channels"}}
    run, other = tmp_path / "run", ["dendrite", "pit", "cell"]
    begun = cli.train(dataset, run, **tiny)
    assert begun.code == 0, begun.error
    files = {path.name: path.read_bytes() for path in run.iterdir()}
    for given in ({"resume": True, "output_dir": run}, {"weights": run / "model.pt", "output_dir": tmp_path / "new"}):
        outcome = cli.train(dataset, **{**tiny, **given, "classes": other})
        assert outcome.code == 2
        assert (
            f"was trained for the classes {CLASSES}, and --classes gives {other}; leave --classes away" in outcome.error
        )
    assert {path.name: path.read_bytes() for path in run.iterdir() if path.name in files} == files
    (run / "model.json").unlink()
    outcome = cli.train(
        dataset, tmp_path / "new", **{**tiny, "weights": run / "model.pt", "classes": [*other, "electrode"]}
    )
    assert outcome.code == 2 and "give --classes their 3 names in that order" in outcome.error
    del tiny["classes"]
    cured = cli.train(dataset, run, **{**tiny, "resume": True, "max_epochs": 2})
    assert cured.code == 0, cured.error
    assert [row["epoch"] for row in rows(run)] == ["1", "2"]


def test_the_recipe_of_the_study_scores_the_patches_of_classes(dataset: Path, tmp_path: Path) -> None:
    tiny = {**SMALL, "network_def": {**cli.TINY, "out_channels": "@channels"}, "patch_size": 128}
    outcome = cli.train(dataset, tmp_path, "study", **tiny)
    assert outcome.code == 0, outcome.error
    (row,) = rows(tmp_path)
    assert 0 <= float(row["train_mdsc"]) < 1 and 0 < float(row["train_loss"]) < 5

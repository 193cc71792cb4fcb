"""Whole commands: what a training learned from is not scored, whatever is added, drawn anew or resumed since."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import cli
import pytest
import tifffile
from conftest import blobs

WINDOW = {"grey_window#fixed": [9000, 42000]}
KEYS: dict[str, Any] = {"network_def": cli.TINY, "patch_size": 64}


@pytest.fixture
def dataset(labelled_set_2d: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(labelled_set_2d, tmp_path / "cells"))


def add(dataset: Path, *names: str) -> None:
    for seed, name in enumerate(names, 50):
        for part, volume in zip(("images", "labels"), blobs(1, (140, 150), seed=seed), strict=True):
            tifffile.imwrite(dataset / part / f"{name}.tif", volume[0])


def record(run: Path) -> dict[str, Any]:
    return dict(json.loads((run / "model.json").read_text()))


def scored(run: Path) -> set[str]:
    with open(run / "per_slice.csv", newline="") as handle:
        return {row["stack"] for row in csv.DictReader(handle)}


def test_a_history(dataset: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    begun = cli.train(dataset, run, seed=1, **KEYS, **WINDOW)
    assert begun.code == 0, begun.error
    first = record(run)
    assert first["grey_window"]["fixed"] == [9000, 42000] and first["patch_size"] == 64
    assert first["classes"] == ["lithium"] and first["seed"] == 1
    cli.evaluated_as_printed(begun, run)

    add(dataset, "a_new", "z_new")
    words = [*cli.printed(begun, "evaluate"), "--seed", "7", "--overwrite", "true"]
    again = cli.bundle_words(words)
    assert again.code == 0 and "2 slices are new since then and count: 2 on the test side" in again.output
    assert scored(run) == {*first["split"]["test"], "a_new", "z_new"}
    about = json.loads((run / "metrics.json").read_text())["slices"]
    assert about["trained_on"] == 0 and about["new_since_training"] == 2 and about["sides"] == "that of the training"

    gone_on = cli.train(dataset, run, network_def=cli.TINY, seed=5, resume=True, max_epochs=2)
    assert gone_on.code == 0, gone_on.error
    assert "2 slices are new since then and count: 2 on the training side" in gone_on.output
    second = record(run)
    assert {side: set(second["split"][side]) - {"a_new", "z_new"} for side in second["split"]} == {
        side: set(first["split"][side]) for side in first["split"]
    }
    (run / "metrics.json").unlink()
    cli.evaluated_as_printed(gone_on, run)

    options = {"dataset_dir": dataset, "output_dir": run, "network_def": cli.TINY, "device": "cpu", "overwrite": True}
    refused = cli.run("train", "evaluate", section="train", **options)
    assert refused.code == 2 and "slices of its train side were trained on by these weights" in refused.error
    allowed = cli.run("train", "evaluate", section="train", allow_seen="true", **options)
    assert allowed.code == 0, allowed.error
    about = json.loads((run / "metrics.json").read_text())["slices"]
    assert about["allow_seen"] and about["trained_on"] == about["scored"] == len(second["split"]["train"])


@pytest.mark.parametrize(
    ("changed", "fault", "cure"),
    [
        (
            {"grey_window#percentiles": [1, 99]},
            "was begun with the grey window 9000 to 42000",
            "--grey_window#percentiles",
        ),
        ({"patch_size": 32}, "was begun on patches of 64, and --patch_size gives 32", "--patch_size"),
    ],
)
def test_a_training_goes_on_with_its_own_settings(
    changed: dict[str, Any], fault: str, cure: str, dataset: Path, tmp_path: Path
) -> None:
    assert cli.train(dataset, tmp_path / "run", **KEYS, **WINDOW).code == 0
    before = (tmp_path / "run/checkpoint.pt").read_bytes()
    given = {"network_def": cli.TINY, "resume": True, "max_epochs": 2}
    refused = cli.train(dataset, tmp_path / "run", **given, **changed)
    assert refused.code == 2 and fault in refused.error and f"leave {cure} away" in refused.error
    assert (tmp_path / "run/checkpoint.pt").read_bytes() == before
    assert cli.train(dataset, tmp_path / "run", **given).code == 0  # the cure


def test_a_training_from_weights_keeps_their_sides(dataset: Path, tmp_path: Path) -> None:
    assert cli.train(dataset, tmp_path / "first", seed=1, **KEYS, **WINDOW).code == 0
    weights = tmp_path / "first/model.pt"
    tuned = cli.train(dataset, tmp_path / "second", seed=4, network_def=cli.TINY, weights=weights)
    assert tuned.code == 0, tuned.error
    first, second = record(tmp_path / "first"), record(tmp_path / "second")
    assert second["split"] == first["split"] and second["grey_window"] == first["grey_window"]
    assert second["patch_size"] == 64
    cli.evaluated_as_printed(tuned, tmp_path / "second")
    segmented = cli.segment(dataset / "images/slice_0.tif", tmp_path / "out", tmp_path / "second/model.pt")
    assert segmented.code == 0 and "which is taken" not in segmented.output
    assert json.loads((tmp_path / "out/summary.json").read_text())["grey_window"] == [9000, 42000]


def test_a_client_that_reads_inference_json_alone_scales_as_the_weights_want_it(dataset: Path, tmp_path: Path) -> None:
    assert cli.train(dataset, tmp_path, seed=1, **KEYS, **WINDOW).code == 0
    parser = cli.parser_of("inference")
    parser["weights"] = str(tmp_path / "model.pt")
    values = tifffile.imread(dataset / "images/slice_0.tif").astype("float32")
    scaled = parser.get_parsed_content("preprocessing")({"image": values})["image"]
    assert scaled[0] == pytest.approx(((values - 9000) / 33000).clip(0, 1), abs=1e-5)
    assert list(parser.get_parsed_content("inferer").roi_size) == [64, 64]

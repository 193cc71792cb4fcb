"""A network of several classes is evaluated, with and without a merge, by the bundle's own command."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import torch
from monai.networks.nets import BasicUNet
from sklearn.metrics import f1_score

from custom.base.digest import sha256_of
from tests.cli import FEATURES, TINY, Outcome, run, volume

CLASSES = ["pit", "dendrite", "redeposited"]
MERGE = "{'lithium': ['dendrite', 'redeposited']}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set whose labels hold other values than the classes have, and random weights that look for three classes."""
    folder = tmp_path_factory.mktemp("classes")
    grey = volume((4, 132, 130), seed=1)
    label = np.array([0, 7, 3, 5], np.uint8)[np.digitize(grey, np.percentile(grey, [60, 80, 90]))]
    label[1, :30] = 255
    for kind, voxels in (("images", grey), ("labels", label)):
        (folder / "data" / kind).mkdir(parents=True)
        tifffile.imwrite(folder / "data" / kind / "cell.tif", voxels, photometric="minisblack")
    torch.manual_seed(0)
    torch.save(BasicUNet(2, 1, 4, FEATURES).state_dict(), folder / "model.pt")
    label_map = {"7": "pit", "3": "dendrite", "5": "redeposited", "255": 255}
    record: dict[str, Any] = {"weights_sha256": sha256_of(folder / "model.pt"), "classes": CLASSES}
    (folder / "model.json").write_text(json.dumps(record | {"reading": {"label_map": label_map}}))
    return folder


def evaluate(folder: Path, name: str, overlay: str | None = None, **options: object) -> Outcome:
    given: dict[str, object] = {
        "dataset_dir": folder / "data",
        "output_dir": folder / name,
        "weights": folder / "model.pt",
        "network_def": TINY | {"out_channels": "@channels"},
        "device": "cpu",
        "precision": "fp32",
        "section": "train",
    }
    overlays = [] if overlay is None else [overlay]
    return run("train", "evaluate", "study_evaluate", *overlays, **{**given, **options})


def found_in(folder: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    kept = {path.stem: np.load(path) for path in sorted((folder / "probability").iterdir())}
    return json.loads((folder / "metrics.json").read_text()), kept


def test_merged_to_one_class_it_is_judged_by_the_sum_of_the_probabilities(folder: Path) -> None:
    outcome = evaluate(folder, "three")
    assert outcome.code == 0, outcome.error
    three, each = found_in(folder / "three")
    assert list(three["classes"]) == CLASSES and three["threshold"] is None and "merge" not in three
    outcome = evaluate(folder, "one", merge=MERGE.replace("lithium", "metal"), threshold=0.4)
    assert outcome.code == 0, outcome.error
    assert "per patch with metal" in outcome.output and "lithium" not in outcome.output
    one, merged = found_in(folder / "one")
    assert one["merge"] == {"metal": ["dendrite", "redeposited"]} and one["threshold"] == 0.4
    assert "classes" not in one
    stored = tifffile.imread(folder / "data/labels/cell.tif")
    truth, found = [], []
    for name, probability in each.items():
        assert probability.shape == (4, 132, 130)
        np.testing.assert_allclose(probability.sum(0), 1, atol=1e-6)
        np.testing.assert_allclose(merged[name], probability[2:].sum(0), atol=1e-6)
        label = stored[int(name[-4:])]
        truth.append(np.isin(label, (3, 5))[label != 255])
        found.append((probability[2:].sum(0) >= 0.4)[label != 255])
    together = np.concatenate(truth), np.concatenate(found)
    assert 0.1 < f1_score(*together) < 0.9
    assert one["dsc_d"] == pytest.approx(f1_score(*together), abs=1e-4)  # the probability of a voxel may just be 0.4
    assert one["lithium_voxels_true"] == together[0].sum()
    in_three = three["classes"]["dendrite"]["voxels_true"] + three["classes"]["redeposited"]["voxels_true"]
    assert in_three == together[0].sum()


def test_merged_to_several_classes_the_most_probable_one_counts(folder: Path) -> None:
    outcome = evaluate(folder, "two", merge="{'lithium': ['dendrite', 'redeposited'], 'holes': 'pit'}")
    assert outcome.code == 0, outcome.error
    two, merged = found_in(folder / "two")
    assert list(two["classes"]) == ["lithium", "holes"] == two["confusion"]["labels"][1:]
    stored = tifffile.imread(folder / "data/labels/cell.tif")
    table = np.zeros((3, 3), int)
    for name, probability in merged.items():
        label = stored[int(name[-4:])]
        known = label != 255
        values = np.select([np.isin(label, (3, 5)), label == 7], [1, 2], 0)
        np.add.at(table, (values[known], probability.argmax(0)[known]), 1)
    assert two["confusion"]["voxels"] == table.tolist()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"merge": "{'lithium': ['dendrites']}"}, "--merge: 'dendrites' is none.*they know pit, dendrite, redeposited"),
        ({"threshold": 0.4}, "--threshold 0.4.*highest probability"),
        ({"classes": "['dendrite', 'pit', 'redeposited']"}, "was trained for the classes.*leave --classes away"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(
    folder: Path, options: dict[str, Any], words: str
) -> None:
    outcome = evaluate(folder, "refused", **options)
    assert (outcome.code, len(outcome.error.splitlines())) == (2, 1)
    assert re.search(words, outcome.error), outcome.error
    assert not (folder / "refused" / "metrics.json").exists()


def test_one_class_is_not_merged(folder: Path) -> None:
    torch.save(BasicUNet(2, 1, 1, FEATURES).state_dict(), folder / "lithium.pt")
    outcome = evaluate(folder, "refused", weights=folder / "lithium.pt", merge=MERGE)
    assert (outcome.code, "look for lithium alone" in outcome.error) == (2, True), outcome.error


def test_a_blend_of_several_classes_and_none_of_different_ones(folder: Path) -> None:
    record = json.loads((folder / "model.json").read_text())
    for name, seed, classes in (("other", 1, CLASSES), ("turned", 2, CLASSES[::-1])):
        torch.manual_seed(seed)
        torch.save(BasicUNet(2, 1, 4, FEATURES).state_dict(), folder / f"{name}.pt")
        own = {"weights_sha256": sha256_of(folder / f"{name}.pt"), "classes": classes}
        (folder / f"{name}.json").write_text(json.dumps(record | own))
    member = TINY | {"out_channels": "@channels"}
    enet = {"_target_": "custom.networks.ENet", "members": [member, member], "weights": "@blend"}
    options: dict[str, object] = {"network_def": enet, "blend": [0.25, 0.75], "patch_size": 144}
    kept = {}
    for name, weights in (("a", "model"), ("b", "other"), ("blend", "['{0}/model.pt','{0}/other.pt']")):
        files = weights.format(folder) if "[" in weights else folder / f"{weights}.pt"
        given = options if name == "blend" else {"patch_size": 144}
        outcome = evaluate(folder, name, "network_enet" if name == "blend" else None, weights=files, **given)
        assert outcome.code == 0, outcome.error
        kept[name] = found_in(folder / name)[1]
    for place, blend in kept["blend"].items():
        # one window holds a slice, so that a blend of windows is one of slices
        np.testing.assert_allclose(blend, 0.25 * kept["a"][place] + 0.75 * kept["b"][place], atol=1e-6)
    weights = f"['{folder}/model.pt','{folder}/turned.pt']"
    outcome = evaluate(folder, "refused", "network_enet", weights=weights, **options)
    assert outcome.code == 2 and "blend weights of the same classes in the same order" in outcome.error

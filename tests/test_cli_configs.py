"""Every published config: it parses, builds its network, trains, evaluates, and is written without a slip."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import cli
import numpy as np
import pytest
import tifffile
import torch
from monai.bundle import ConfigParser
from monai.bundle.reference_resolver import ReferenceResolver
from PIL import Image

import custom.networks
from custom.sharing.json_text import json_text

pytestmark = pytest.mark.slow

CONFIGS = cli.ROOT / "bundle/configs"
WHOLE = ("train", "inference")
WITHOUT_NETWORK = "region"  # complete alone too
OVERLAYS = sorted(p.stem for p in CONFIGS.glob("*.json") if p.stem not in (*WHOLE, WITHOUT_NETWORK, "metadata"))
NETWORKS = [name for name in OVERLAYS if name.startswith("network_")]
ENSEMBLE = "network_enet"  # blends trained networks, so it is not trained itself
TRAINED = [name for name in NETWORKS if name != ENSEMBLE]
COST = "study_cost"  # measures a network as it segments
KEPT = "study_evaluate"  # stacked after evaluate.json
SUGGEST = "suggest"  # of a segmentation, too
STACKED = [("train", name) for name in (None, *OVERLAYS) if name not in (ENSEMBLE, COST, SUGGEST)]
STACKED += [(WITHOUT_NETWORK, None)]
STACKED += [("inference", name) for name in (None, *NETWORKS, COST, SUGGEST)]


def read(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((CONFIGS / f"{name}.json").read_text())
    return content


def network_of(*names: str) -> torch.nn.Module:
    network: torch.nn.Module = cli.parser_of(*names).get_parsed_content("network_def")
    return network.eval()


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return cli.labelled_stack(tmp_path_factory.mktemp("data") / "cells")


# --- as text --------------------------------------------------------------------------------------------------------


def strings(node: Any) -> list[str]:
    if isinstance(node, dict):
        return [text for key, value in node.items() for text in (key, *strings(value))]
    if isinstance(node, list):
        return [text for item in node for text in strings(item)]
    return [node] if isinstance(node, str) else []


def test_every_network_of_the_project_has_a_config() -> None:
    named = {text for name in (*WHOLE, *NETWORKS) for text in strings(read(name)["network_def"])}
    assert {f"custom.networks.{name}" for name in custom.networks.__all__} <= named
    assert ENSEMBLE in NETWORKS and TRAINED


@pytest.mark.parametrize("name", [*WHOLE, WITHOUT_NETWORK, *OVERLAYS, "metadata"])
def test_a_config_has_no_duplicate_key_and_no_path_of_one_machine(name: str) -> None:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        keys = [key for key, _ in pairs]
        assert len(keys) == len(set(keys)), keys
        return dict(pairs)

    text = (CONFIGS / f"{name}.json").read_text()
    content = json.loads(text, object_pairs_hook=unique)
    assert text == json_text(content), "python tests/format_configs.py lays it out"
    assert not re.search(r'"[^"]*(/home/|/root/|/work/|/tmp/|[A-Z]:\\)', text)


@pytest.mark.parametrize(("name", "lines", "references"), [("train", 320, 155), ("inference", 241, 114)])
def test_a_whole_config_can_be_read_in_one_sitting(name: str, lines: int, references: int) -> None:
    text = (CONFIGS / f"{name}.json").read_text()
    assert len(text.splitlines()) <= lines
    assert len(re.findall(r"@[A-Za-z_]", text)) <= references


@pytest.mark.parametrize("name", OVERLAYS)
def test_an_overlay_is_thin(name: str) -> None:
    """It sets less than half of the keys that a whole config has, however many lines it takes."""
    assert 2 * len(read(name)) < min(len(read(whole)) for whole in WHOLE)


@pytest.mark.parametrize("name", [*WHOLE, WITHOUT_NETWORK, *OVERLAYS])
def test_a_hash_stands_in_references_only(name: str) -> None:
    """MONAI's parser turns every # into ::, in a sentence or a path as well."""
    for text in strings({key: value for key, value in read(name).items() if key != "_desc_"}):
        for hit in re.finditer("#", text):
            assert re.search(r"[\w\]]$", text[: hit.start()]) and re.match(r"#\w", text[hit.start() :]), text


def knows(parser: ConfigParser, key: str) -> bool:
    """Whether it is a key of the config, or an argument more of a component, which refuses those that it does not know."""
    parent = parser.get(key.rpartition("::")[0], KeyError)
    return parser.get(key, KeyError) is not KeyError or (
        isinstance(parent, dict) and "_target_" in parent and "::" in key
    )


@pytest.mark.parametrize(("whole", "overlay"), STACKED)
def test_no_key_is_misspelt(whole: str, overlay: str | None) -> None:
    """Every reference leads to a key; a key that an overlay brings is known to a whole config, or used by the overlay."""
    parser = cli.parser_of(whole, *([overlay] if overlay else []))
    for text in strings(parser.get()):
        for reference in ReferenceResolver.match_refs_pattern(text) if text.startswith(("@", "$")) else {}:
            assert parser.get(reference, default=KeyError) is not KeyError, f"{reference} in {text!r}"
    for key in read(overlay) if overlay else {}:
        known = any(knows(cli.parser_of(name), key.removeprefix("+").replace("#", "::")) for name in WHOLE)
        used = key in ("_desc_", "finalize") or any(f"@{key}" in text for text in strings(read(overlay or "")))
        assert known or used, key


# --- networks -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("overlay", [None, *NETWORKS])
@pytest.mark.parametrize("whole", WHOLE)
def test_a_network_is_built_and_takes_a_patch(whole: str, overlay: str | None) -> None:
    network = network_of(whole, *([overlay] if overlay else []))
    with torch.no_grad():
        assert network(torch.rand(2, 1, 128, 128)).shape == (2, 1, 128, 128)


@pytest.mark.parametrize("overlay", [None, *TRAINED])
def test_both_whole_configs_describe_one_network(overlay: str | None) -> None:
    stacked = [overlay] if overlay else []
    trained, used = (network_of(whole, *stacked).state_dict() for whole in WHOLE)
    assert {key: value.shape for key, value in trained.items()} == {key: value.shape for key, value in used.items()}


@pytest.mark.parametrize("overlay", [None, *TRAINED])
def test_a_network_trains_and_its_weights_segment(overlay: str | None, dataset: Path, tmp_path: Path) -> None:
    """One epoch, with the recipe and the network as published, then the commands that it prints."""
    overlays = [overlay] if overlay else []
    before = network_of("train", *overlays).state_dict()
    trained = cli.train(dataset, tmp_path / "run", *overlays, seed=len(overlay or ""))
    assert trained.code == 0, trained.error
    state = torch.load(tmp_path / "run/model.pt", weights_only=True)
    assert state.keys() == before.keys() and all(value.isfinite().all() for value in state.values())
    cli.evaluated_as_printed(trained, tmp_path / "run")
    places = {"STACK": str(dataset / "images/cell.tif"), "OUT": str(tmp_path / "out")}
    outcome = cli.bundle_words([places.get(word, word) for word in cli.printed(trained, "segment")])
    assert outcome.code == 0, outcome.error
    summary = json.loads((tmp_path / "out/summary.json").read_text())
    assert summary["shape_zyx"] == [6, 140, 140] and summary["network"] == type(network_of("train", *overlays)).__name__


@pytest.mark.parametrize(
    ("loss", "seed", "window"),
    [
        ("dice_bce", 0, {}),
        ("bce", 1, {"percentiles": [1, 99]}),
        ("balanced_bce", 2, {"fixed": [10000, 30000]}),
        ("tversky", 3, {"percentiles": [0, 100]}),
        ("focal_tversky", 4, {}),
    ],
)
def test_a_loss_trains(loss: str, seed: int, window: dict[str, Any], dataset: Path, tmp_path: Path) -> None:
    keys = {"network_def": cli.TINY, "loss": loss, "seed": seed} | {f"grey_window#{k}": v for k, v in window.items()}
    outcome = cli.train(dataset, tmp_path, **keys, patches_per_epoch=8, max_epochs=2)
    assert outcome.code == 0, outcome.error
    scored = cli.evaluated_as_printed(outcome, tmp_path)
    assert scored["grey_window"] == {"percentiles": [0.5, 99.5], "fixed": None} | window
    with open(tmp_path / "metrics.csv", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert all(0 < float(row[name]) < 5 for row in rows for name in ("train_loss", "val_loss"))
    state = torch.load(tmp_path / "model.pt", weights_only=True)
    assert all(value.isfinite().all() for value in state.values())


def test_the_ensemble_segments_with_the_weights_of_its_members(dataset: Path, tmp_path: Path) -> None:
    """One file a member; with all the weight on one member its mask is that member's own."""
    ensemble = network_of("inference", ENSEMBLE)
    files = []
    for i, member in enumerate(ensemble.get_submodule("members").children()):
        files.append(tmp_path / f"{i}.pt")
        torch.save(member.state_dict(), files[-1])
    options = {"stack": dataset / "images/cell.tif", "device": "cpu", "output_format": "nrrd", "slab_height": 6}
    blended = cli.run("inference", ENSEMBLE, output_dir=tmp_path / "a", weights=list(map(str, files)), **options)
    assert blended.code == 0, blended.error
    summary = json.loads((tmp_path / "a/summary.json").read_text())
    assert len(set(summary["weights_sha256"])) == len(files) and summary["network"] == "ENet"
    first = [1.0] + [0.0] * (len(files) - 1)
    one = cli.run(
        *("inference", ENSEMBLE), output_dir=tmp_path / "b", weights=list(map(str, files)), blend=first, **options
    )
    alone = cli.run("inference", "network_unet", output_dir=tmp_path / "c", weights=files[0], **options)
    assert one.code == alone.code == 0
    assert (tmp_path / "b/mask.nrrd").read_bytes() == (tmp_path / "c/mask.nrrd").read_bytes()
    short = cli.run("inference", ENSEMBLE, output_dir=tmp_path / "d", weights=[str(files[0])], **options)
    assert short.code == 2 and "as many members" in short.error


# --- the study ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("overlay", "epochs", "optimizer"),
    [
        ("network_unet", 450, "Adam"),
        ("network_ynet", 130, "Adam"),
        (None, 300, "AdamW"),
        ("network_monai_unet", 300, "AdamW"),
    ],
)
def test_the_studys_recipe_goes_by_the_network(overlay: str | None, epochs: int, optimizer: str) -> None:
    parser = cli.parser_of("train", *([overlay] if overlay else []), "study")
    parser["network"] = "@network_def"
    assert parser.get_parsed_content("max_epochs") == epochs
    assert type(parser.get_parsed_content("optimizer")).__name__ == optimizer
    rotation = parser.get_parsed_content("affine").rand_affine.rand_affine_grid.rotate_range
    assert rotation == pytest.approx([np.pi])  # in all directions


def test_the_studys_recipe_trains_and_follows_the_dice_of_both_sides(dataset: Path, tmp_path: Path) -> None:
    small = {"network_def": cli.TINY, "patches_per_epoch": 4}
    outcome = cli.train(dataset, tmp_path, "study", **small, max_epochs=2)
    assert outcome.code == 0, outcome.error
    with open(tmp_path / "metrics.csv", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert len(rows) == 2 and all(0 <= float(row["train_mdsc"]) <= 1 for row in rows)
    assert cli.train(dataset, tmp_path, "study", **small, max_epochs=3, resume=True).code == 0
    with open(tmp_path / "metrics.csv", newline="") as handle:
        assert list(csv.DictReader(handle))[:2] == rows


def test_kept_probabilities_are_those_that_were_scored(dataset: Path, tmp_path: Path) -> None:
    assert cli.train(dataset, tmp_path, network_def=cli.TINY, patches_per_epoch=4).code == 0
    options = {"network_def": cli.TINY, "device": "cpu", "threshold": 0.45}
    outcome = cli.run("train", "evaluate", KEPT, dataset_dir=dataset, output_dir=tmp_path, **options)
    assert outcome.code == 0, outcome.error
    with open(tmp_path / "per_slice.csv", newline="") as handle:
        (row,) = csv.DictReader(handle)
    probability = np.load(tmp_path / "probability" / f"cell_z{int(row['z']):04d}.npy")
    label = tifffile.imread(dataset / "labels/cell.tif")[int(row["z"])]
    assert probability.dtype == np.float32 and 0 < np.count_nonzero(probability >= 0.45)
    assert np.count_nonzero((probability >= 0.45) & (label == 1)) == int(row["tp"])
    assert np.count_nonzero((probability >= 0.45) & (label == 0)) == int(row["fp"])


def test_the_cost_of_a_network(tmp_path: Path) -> None:
    options = {"repeats": 1, "bulk_size": [140, 150], "device": "cpu", "precision": "fp32", "output_dir": tmp_path}
    outcome = cli.run("inference", "network_unet", COST, weights=cli.ROOT / "bundle/models/unet.safetensors", **options)
    assert outcome.code == 0, outcome.error
    cost = json.loads((tmp_path / "cost.json").read_text())
    assert cost["parameters"] == 1_948_129 and cost["gflop_per_patch"] == pytest.approx(1.60, abs=0.005)
    # four windows cover 140 x 150, so that a voxel in bulk takes about four patches' time over 0.021 Mvoxel
    assert cost["s_per_mvoxel"] * 0.021 > 1.5 * cost["ms_per_patch"] / 1000 > 0


# --- evaluation -----------------------------------------------------------------------------------------------------


def test_an_evaluation_writes_scores_tables_and_pictures(dataset: Path, tmp_path: Path) -> None:
    assert cli.train(dataset, tmp_path, network_def=cli.TINY, patches_per_epoch=4).code == 0
    (tmp_path / "cells").symlink_to(dataset)
    outcome = cli.run("train", "evaluate", dataset_dir=dataset, output_dir=tmp_path, network_def=cli.TINY, device="cpu")
    assert outcome.code == 0, outcome.error
    found = json.loads((tmp_path / "metrics.json").read_text())
    assert found["section"] == "test" and found["dataset_dir"] == str(dataset)
    with open(tmp_path / "per_slice.csv", newline="") as handle:
        rows = list(csv.DictReader(handle))
    counts = {name: sum(int(row[name]) for row in rows) for name in ("tp", "fp", "fn", "tn")}
    assert len(rows) == 1 and sum(counts.values()) == 140 * 140
    tp, errors = counts["tp"], counts["fp"] + counts["fn"]
    assert found["dsc_d"] == pytest.approx(2 * tp / (2 * tp + errors)) and f"{found['dsc_d']:.4f}" in outcome.output
    assert found["iou_d"] == pytest.approx(tp / (tp + errors))
    label = tifffile.imread(dataset / "labels/cell.tif")[int(rows[0]["z"])]
    assert int(rows[0]["lithium_voxels_true"]) == np.count_nonzero(label == 1)
    (picture,) = (tmp_path / "overlays").iterdir()
    assert picture.name == f"cell_z{int(rows[0]['z']):04d}.png"
    assert Image.open(picture).size[0] == 140 * 3  # magnified to fill 480 pixels


def test_an_evaluation_and_the_training_score_alike(dataset: Path, tmp_path: Path) -> None:
    """The best validation score of a training is what evaluating its model.pt on that side gives."""
    # in float32: the temperature that model.pt's logits are divided by moves them by a rounding
    network = {"network_def": cli.TINY, "device": "cpu", "precision": "fp32"}
    assert cli.train(dataset, tmp_path, val_slices=32, max_epochs=2, **network).code == 0
    assert cli.run("train", "evaluate", section="val", dataset_dir=dataset, output_dir=tmp_path, **network).code == 0
    with open(tmp_path / "metrics.csv", newline="") as handle:
        best = max(float(row["val_mdsc"]) for row in csv.DictReader(handle))
    assert json.loads((tmp_path / "metrics.json").read_text())["dsc_a"] == pytest.approx(best, abs=1e-4)

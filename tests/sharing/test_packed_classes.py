"""A bundle whose weights find several classes states them to its clients, and is judged by them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cli
import numpy as np
import packs
import pytest
import tifffile
import torch
from monai.bundle import ConfigParser
from packs import NAME

from custom.base.classes import LITHIUM
from custom.base.errors import BadInput
from custom.sharing import check_bundle
from custom.sharing.archive import write_sums, write_zip
from custom.sharing.fitting import declared_network, fitting_network
from custom.sharing.layout import here
from custom.sharing.packing import settings_of
from custom.sharing.record import classes_of, metadata_of, read_record, stated_classes, with_classes
from custom.sharing.staging import stage
from custom.weights import sha256

CLASSES = ["pit", "dead lithium"]
GREY = cli.volume((2, 140, 150))
BASE = json.loads((here().bundle / "configs/metadata.json").read_text())


@pytest.fixture(autouse=True)
def new_process() -> Iterator[None]:
    yield
    packs.forget(NAME)


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a bundle with all but what packing computes in processes of its own."""
    aside = tmp_path_factory.mktemp("several")
    weights = cli.class_weights(aside / "model.pt", GREY, CLASSES)
    network = aside / "network_tiny.json"
    network.write_text(json.dumps({"network_def": cli.TINY | {"out_channels": "@channels"}}))
    record = read_record(weights)
    source, folder = here(), aside / NAME
    stage(source, folder, weights, settings_of(source, weights, record, network), metadata_of(BASE, record, False))
    for computed in ("models/model.ts", "selftest/mask.tif"):
        (folder / computed).write_bytes(b"")
    return folder


def test_clients_read_its_classes(staged: Path) -> None:
    meta = json.loads((staged / "configs/metadata.json").read_text())
    pred = meta["network_data_format"]["outputs"]["pred"]
    assert pred["channel_def"] == {"0": "background", "1": "pit", "2": "dead lithium"} and pred["num_channels"] == 3
    assert meta["label_classes"] == "0 background, 1 pit, 2 dead lithium, 255 unlabelled"
    assert meta["weights"]["classes"] == CLASSES == list(stated_classes(meta))
    words = ["verify_net_in_out", "network_def", "--config_file", "configs/inference.json", "--device", "cpu"]
    ended = cli.bundle_words([*words, "--meta_file", "configs/metadata.json"], staged)
    assert ended.code == 0, ended.error


def test_it_segments_into_them(staged: Path, tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "stack.tif", GREY, photometric="minisblack")
    line = ["run", "--config_file", str(staged / "configs/inference.json"), "--stack", "stack.tif"]
    line += ["--output_dir", "out", "--device", "cpu", "--precision", "fp32", "--output_format", "tiff"]
    ended = cli.bundle_words(line, tmp_path)
    assert ended.code == 0, ended.error
    assert set(np.unique(tifffile.imread(tmp_path / "out/mask.tif"))) == {0, 1, 2}
    assert list(json.loads((tmp_path / "out/summary.json").read_text())["classes"]) == CLASSES


def test_it_is_judged_by_them(staged: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(staged, tmp_path / NAME)
    said: list[str] = []
    write_sums(folder)
    write_zip(folder, tmp_path / "right.zip")
    assert check_bundle(tmp_path / "right.zip", say=said.append) == NAME
    assert "finds: pit, dead lithium" in said and "models/model.pt fits the network of inference.json." in said
    other = with_classes(BASE, ["dead lithium", "pit"])
    for wrong, sentence in (
        (other, r"\['dead lithium', 'pit'\], and .* \['pit', 'dead"),
        ({**other, "task": 1}, "task"),
    ):
        (folder / "configs/metadata.json").write_text(json.dumps(wrong))
        write_sums(folder)
        write_zip(folder, tmp_path / "wrong.zip")
        with pytest.raises(BadInput, match=sentence):
            check_bundle(tmp_path / "wrong.zip", say=said.append)


@pytest.mark.parametrize(
    ("told", "classes"), [({}, LITHIUM), ({"classes": ["lithium"]}, LITHIUM), ({"classes": ["b", "a"]}, ("b", "a"))]
)
def test_what_a_record_says_of_classes(told: dict[str, Any], classes: tuple[str, ...]) -> None:
    assert classes_of(told) == classes
    assert (with_classes(BASE, classes) == BASE) == (classes == LITHIUM)
    assert stated_classes(with_classes(with_classes(BASE, ["x", "y", "z"]), classes)) == classes
    with pytest.raises(BadInput, match="no list of names"):
        classes_of({"classes": 3})


def test_networks_are_tried_with_as_many_channels_as_the_weights_have(tmp_path: Path) -> None:
    """As the export's command line finds them too."""
    overlay = json.loads((here().bundle / "configs/network_unet.json").read_text())
    state = ConfigParser({**overlay, "channels": 3}).get_parsed_content("network_def").state_dict()
    weights = tmp_path / "model.pt"
    torch.save(state, weights)
    weights.with_suffix(".json").write_text(json.dumps({"classes": CLASSES, "weights_sha256": sha256(weights)}))
    assert fitting_network(here(), weights, 128, CLASSES)["out_channels"] == "@channels"
    with pytest.raises(BadInput, match="weights of another network"):
        fitting_network(here(), weights, 128, LITHIUM)
    network, _ = declared_network("unet", [weights])
    assert network(torch.zeros(1, 1, 128, 128)).shape == (1, 3, 128, 128)

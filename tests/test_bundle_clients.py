"""What the clients of a bundle rely on: required properties, metadata, network check, export, load."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import cli
import monai.bundle
import numpy as np
import pytest
import torch
from monai.bundle import ConfigParser, ConfigWorkflow
from monai.data import load_net_with_metadata
from monai.networks.nets import BasicUNet

pytestmark = pytest.mark.slow

CONFIGS = cli.ROOT / "bundle/configs"
SCHEMA = cli.SHARED / "schema/meta_schema_20240725.json"
OVERLAYS = sorted(path.stem for path in CONFIGS.glob("network_*.json"))


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return cli.labelled_stack(tmp_path_factory.mktemp("data") / "cells")


def properties_missing(kind: str, *configs: str, **overrides: Any) -> list[str] | None:
    with cli.own_process([]):
        files = [f"bundle/configs/{name}.json" for name in configs]
        workflow = ConfigWorkflow(config_file=files, workflow_type=kind, **overrides)
        workflow.initialize()
        return workflow.check_properties()


@pytest.mark.parametrize("configs", [("train",), ("train", "evaluate")])
def test_a_training_has_all_required_properties(configs: tuple[str, ...], dataset: Path, tmp_path: Path) -> None:
    options = {"dataset_dir": str(dataset), "output_dir": str(tmp_path), "device": "cpu"}
    assert properties_missing("train", *configs, **options) == []


def test_an_inference_has_all_required_properties(dataset: Path, tmp_path: Path) -> None:
    grey = cli.volume((3, 60, 90))
    options = {"stack": str(dataset / "images/cell.tif"), "weights": str(cli.tiny_weights(tmp_path / "w.pt", grey))}
    assert properties_missing("infer", "inference", output_dir=str(tmp_path / "out"), device="cpu", **options) == []


@pytest.mark.skipif(not SCHEMA.is_file(), reason="MONAI's schema is not beside the repository")
def test_the_metadata_follows_monais_schema(tmp_path: Path) -> None:
    schema = shutil.copy(SCHEMA, tmp_path)
    outcome = cli.bundle("verify_metadata", meta_file="bundle/configs/metadata.json", filepath=schema)
    assert outcome.code == 0
    broken = json.loads((CONFIGS / "metadata.json").read_text()) | {"version": 1}
    (tmp_path / "metadata.json").write_text(json.dumps(broken))
    with pytest.raises(ValueError, match="1 is not of type .string."):
        cli.bundle("verify_metadata", meta_file=tmp_path / "metadata.json", filepath=schema)


def test_the_metadata_tells_what_is_installed() -> None:
    meta = json.loads((CONFIGS / "metadata.json").read_text())
    assert meta["version"] in meta["changelog"]
    assert meta["monai_version"] == monai.__version__
    assert meta["pytorch_version"] == torch.__version__.split("+")[0] and meta["numpy_version"] == np.__version__


@pytest.mark.parametrize("overlay", [None, *OVERLAYS])
def test_the_network_fits_the_metadata(overlay: str | None) -> None:
    files = cli.config_file("inference", *([overlay] if overlay else []))
    meta = "bundle/configs/metadata.json"
    assert cli.bundle("verify_net_in_out", "network_def", config_file=files, meta_file=meta, device="cpu").code == 0


def test_a_network_that_does_not_fit_the_metadata_is_told() -> None:
    wrong = {"network_def#out_channels": 3}
    with pytest.raises(ValueError, match="output channel number"):
        cli.bundle(
            *("verify_net_in_out", "network_def"),
            config_file=cli.config_file("inference"),
            meta_file="bundle/configs/metadata.json",
            device="cpu",
            **wrong,
        )


@pytest.mark.parametrize("overlay", [None, *OVERLAYS])
def test_an_exported_network_finds_the_same(overlay: str | None, tmp_path: Path) -> None:
    """The TorchScript file that MONAI Deploy takes: the network with its weights, its config and the metadata."""
    overlays = [overlay] if overlay else []
    parser = ConfigParser()
    parser.read_config([str(CONFIGS / f"{name}.json") for name in ("inference", *overlays)])
    network = parser.get_parsed_content("network_def").eval()
    torch.save(network.state_dict(), tmp_path / "model.pt")
    exported = tmp_path / "model.ts"
    options = {"filepath": exported, "ckpt_file": tmp_path / "model.pt", "meta_file": "bundle/configs/metadata.json"}
    outcome = cli.bundle("ckpt_export", "network_def", config_file=cli.config_file("inference", *overlays), **options)
    assert outcome.code == 0
    script, metadata, extra = load_net_with_metadata(str(exported), more_extra_files=["inference.json"])
    patches = torch.rand(2, 1, 128, 128, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        torch.testing.assert_close(script.eval()(patches), network(patches), rtol=1e-4, atol=1e-4)
    assert metadata["name"] == json.loads((CONFIGS / "metadata.json").read_text())["name"]
    if not overlays:  # with several files MONAI stores their merged content under another name
        assert "preprocessing" in json.loads(extra["inference.json"])


def test_monai_loads_the_network_with_its_weights(tmp_path: Path) -> None:
    """`monai.bundle.load` on a bundle folder reads configs/inference.json and models/model.pt."""
    shutil.copytree(CONFIGS, tmp_path / "lithium/configs")
    (tmp_path / "lithium/models").mkdir()
    parser = ConfigParser()
    parser.read_config(str(CONFIGS / "inference.json"))
    state = parser.get_parsed_content("network_def").state_dict()
    torch.save(state, tmp_path / "lithium/models/model.pt")
    with cli.own_process([]):
        network: Any = monai.bundle.load("lithium", bundle_dir=tmp_path, workflow_type="inference", device="cpu")
    assert type(network).__name__ == "TransforCNN"
    assert all(torch.equal(value, state[key]) for key, value in network.state_dict().items())


def test_no_other_networks_weights_can_be_taken_for_the_bundles() -> None:
    """MONAI Label takes the .pt file with the shortest name, and keys that fit nothing for weights."""
    assert [path.name for path in (CONFIGS.parent / "models").glob("*.pt")] == ["model.pt"]


def test_a_client_trains_on_image_and_label_paths(dataset: Path, tmp_path: Path) -> None:
    """MONAI Label puts path dicts in place of train#dataset#data and validate#dataset#data, then runs `run`."""
    pair = {"image": str(dataset / "images/cell.tif"), "label": str(dataset / "labels/cell.tif")}
    outcome = cli.train(
        dataset,
        tmp_path,
        network_def=cli.TINY,
        **{"train#dataset#data": [pair], "validate#dataset#data": [pair]},
    )
    assert outcome.code == 0, outcome.error
    state = torch.load(tmp_path / "model.pt", weights_only=True)
    assert state.keys() == BasicUNet(2, 1, 1, cli.FEATURES).state_dict().keys()

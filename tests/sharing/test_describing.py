"""A packed bundle that is a model of bioimage.io too: valid, and its test tensors come out of its weights, in either form."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cli
import numpy as np
import packs
import pytest
import yaml

from custom.base.errors import BadInput
from custom.sharing import check_bundle, pack_bundle
from custom.sharing.describing import architecture

pytestmark = pytest.mark.slow

REPRODUCE = """
import importlib, sys
import numpy as np, torch, yaml
from pathlib import Path
folder = Path(sys.argv[1])
sys.path.insert(0, str(folder))
said = yaml.safe_load((folder / "rdf.yaml").read_text())
told = said["weights"]["pytorch_state_dict"]
wanted = told["architecture"]
network = getattr(importlib.import_module(wanted["import_from"]), wanted["callable"])(**wanted["kwargs"]).eval()
network.load_state_dict(torch.load(folder / told["source"], weights_only=True), strict=True)
found = network(torch.from_numpy(np.load(folder / said["inputs"][0]["test_tensor"]["source"]))).detach().numpy()
np.save(sys.argv[2], found)
"""


@pytest.fixture(scope="module")
def described(packed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small bundle once more, with its description."""
    folder = tmp_path_factory.mktemp("described")
    return repacked(packed, folder)


def repacked(packed: Path, folder: Path) -> Path:
    weights, network = packed.parent / "run/model.pt", packed.parent / "network_tiny.json"
    return pack_bundle(folder / f"{packs.NAME}.zip", weights, network=network, bioimageio=True)


def test_it_is_valid_and_holds_what_it_names(described: Path, tmp_path: Path) -> None:
    """By the library of its specification, which compares the sums of the files too."""
    from bioimageio.spec import InvalidDescr, load_description

    folder = packs.unpacked(described, tmp_path)
    found = load_description(folder / "rdf.yaml", perform_io_checks=True)
    assert not isinstance(found, InvalidDescr), found.validation_summary.format()
    assert (found.type, found.format_version) == ("model", "0.5.14")
    assert check_bundle(described, say=lambda line: None) == packs.NAME


def test_the_test_tensors_come_out_of_onnx_and_of_the_state_dict(described: Path, tmp_path: Path) -> None:
    import onnxruntime

    folder = packs.unpacked(described, tmp_path)
    said = yaml.safe_load((folder / "rdf.yaml").read_text())
    patches, logits = (np.load(folder / said[side][0]["test_tensor"]["source"]) for side in ("inputs", "outputs"))
    assert logits.std() > 0.01 and patches.shape == logits.shape
    session = onnxruntime.InferenceSession(str(folder / said["weights"]["onnx"]["source"]))
    (found,) = session.run(None, {session.get_inputs()[0].name: patches})
    np.testing.assert_allclose(found, logits, atol=1e-5)
    ended = subprocess.run(
        [sys.executable, "-c", REPRODUCE, str(folder), str(tmp_path / "found.npy")],
        cwd=tmp_path,
        env=cli.ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stderr
    np.testing.assert_allclose(np.load(tmp_path / "found.npy"), logits, atol=1e-6)


def test_the_same_bytes_again_and_no_place_of_this_machine(described: Path, packed: Path, tmp_path: Path) -> None:
    again = repacked(packed, tmp_path)
    assert again.read_bytes() == described.read_bytes()
    content = again.read_bytes()
    assert b"/tmp/" not in content and bytes(cli.ROOT) not in content and b"site-packages" not in content


@pytest.mark.parametrize("name", ["ynet", "unet", "monai_unet"])
def test_every_network_is_named_by_class_and_arguments(name: str) -> None:
    """As strict as building it by MONAI: the same parameters."""
    import importlib

    from custom.sharing.fitting import build_network

    config = json.loads((cli.ROOT / "bundle/configs/inference.json").read_text())
    config |= json.loads((cli.ROOT / f"bundle/configs/network_{name}.json").read_text())
    said = architecture(config["network_def"], 128, 1)
    network = getattr(importlib.import_module(said["import_from"]), said["callable"])(**said["kwargs"])
    wanted = build_network(config)
    assert {key: value.shape for key, value in network.state_dict().items()} == {
        key: value.shape for key, value in wanted.state_dict().items()
    }


@pytest.mark.parametrize("value", ["@widths", "$2 ** 5", "%other.json::features", [16, "@widths"]])
def test_an_argument_for_monai_alone_is_refused(value: object) -> None:
    with pytest.raises(BadInput, match="^network_def#features: .* is for MONAI alone to read.*; write it there"):
        architecture({"_target_": "monai.networks.nets.BasicUNet", "features": value}, 128, 1)

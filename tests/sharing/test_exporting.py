"""Exports find what the network finds, at batch sizes that they were not made with."""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
from pathlib import Path

import cli
import numpy as np
import onnx
import pytest
import torch
from monai.networks.nets import BasicUNet
from onnx.reference import ReferenceEvaluator

from custom.base.errors import BadInput
from custom.sharing import exporting
from custom.sharing.fitting import build_network, declared_network

pytestmark = pytest.mark.slow

SIDE = 32


@pytest.fixture(scope="module")
def network() -> torch.nn.Module:
    torch.manual_seed(0)
    return BasicUNet(2, 1, 1, cli.FEATURES).eval()


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("kind", ["ts", "pt2"])
def test_an_export_finds_the_same(kind: str, precision: str, network: torch.nn.Module, tmp_path: Path) -> None:
    path = tmp_path / f"deeper/network.{kind}"
    found = exporting.export(network, path, SIDE, precision)
    assert found is not None and set(found) == {1, 7} and max(found.values()) < 1e-4
    assert next(network.parameters()).dtype == torch.float32 and [path] == list(path.parent.iterdir())
    x = exporting.patch_batch(5, SIDE).to(exporting.DTYPES[precision])
    run = torch.jit.load(path) if kind == "ts" else torch.export.load(path).module()
    with torch.no_grad():
        found = run(x).float()
        torch.testing.assert_close(
            found, network(x.float()), **({} if precision == "fp32" else {"rtol": 0.1, "atol": 0.1})
        )


def test_an_onnx_file_finds_the_same(network: torch.nn.Module, tmp_path: Path) -> None:
    """Computed by ONNX's own reference in NumPy."""
    found = exporting.export(network, tmp_path / "network.onnx", SIDE)
    assert found is None or max(found.values()) < 1e-4
    reference = ReferenceEvaluator(onnx.load(tmp_path / "network.onnx"))
    for size in exporting.BATCHES:
        x = exporting.patch_batch(size, SIDE)
        with torch.no_grad():
            wanted = network(x).numpy()
        np.testing.assert_allclose(reference.run(None, {reference.input_names[0]: x.numpy()})[0], wanted, atol=1e-4)


def test_a_difference_is_told(network: torch.nn.Module, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def off_at_seven(network: torch.nn.Module, example: torch.Tensor, path: Path) -> exporting.Run:
        path.touch()
        return lambda x: network(x) + (0.5 if len(x) == 7 else 0.0)

    monkeypatch.setitem(exporting.FORMATS, "ts", off_at_seven)
    found = exporting.export(network, tmp_path / "network.ts", SIDE)
    assert found == pytest.approx({1: 0.0, 7: 0.5}, abs=1e-5)
    assert exporting.largest_difference(torch.zeros(1, 2), torch.zeros(1)) == float("inf")


def test_what_cannot_be_exported_is_refused(
    network: torch.nn.Module, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BadInput, match="ONNX is exported in fp32 alone"):
        exporting.export(network, tmp_path / "network.onnx", SIDE, "bf16")
    monkeypatch.setattr(exporting, "find_spec", lambda name: None)
    with pytest.raises(BadInput, match="pip install onnx onnxscript"):
        exporting.export(network, tmp_path / "network.onnx", SIDE)
    with pytest.raises(BadInput, match="--network net: is unknown; give one of transforcnn, enet, monai_unet"):
        declared_network("net")
    assert list(tmp_path.iterdir()) == []


def test_the_blend_is_declared_with_the_weights_of_its_members() -> None:
    network, side = declared_network("enet")
    unet, _ = declared_network("unet")
    assert side == 128 and isinstance(network.members, torch.nn.ModuleList)
    inside = network.members[0].state_dict()
    assert all(torch.equal(value, inside[key]) for key, value in unet.state_dict().items())


def test_the_script_tells_the_differences(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--output_dir", str(tmp_path), "--network", "unet", "--formats", "ts"]
    monkeypatch.setattr(sys, "argv", ["export_bundle.py", *words])
    with pytest.raises(SystemExit, match="0"):
        runpy.run_path(str(cli.ROOT / "scripts/export_bundle.py"), run_name="__main__")
    printed = capsys.readouterr().out
    assert printed.startswith(f"{tmp_path}/unet_fp32.ts: largest difference of a logit ")
    assert "at batch size 1," in printed and printed.endswith("at batch size 7\n")


WITHOUT_MONAI = """
import sys
import torch
sys.modules["monai"] = None  # whoever imports it from here on fails
inputs = torch.load(sys.argv[1])
found = {}
with torch.no_grad():
    for path in sys.argv[3:]:
        run = torch.export.load(path).module()
        found[path] = [run(x) for x in inputs]
torch.save(found, sys.argv[2])
"""


def test_the_program_of_every_network_runs_without_monai(tmp_path: Path) -> None:
    """At batch sizes that it was not exported with, to 1e-5 of what the network finds."""
    inputs = [exporting.patch_batch(size, 128) for size in (1, 3)]
    torch.save(inputs, tmp_path / "inputs.pt")
    wanted = {}
    monai_unet = json.loads((cli.ROOT / "bundle/configs/network_monai_unet.json").read_text())
    networks = {name: declared_network(name)[0] for name in ("transforcnn", "unet", "ynet", "enet")}
    networks["monai_unet"] = build_network(monai_unet | {"patch_size": 128}).eval()  # no weights are shipped
    for name, network in networks.items():
        path = tmp_path / f"{name}.pt2"
        exporting.export(network, path, 128)
        with torch.no_grad():
            wanted[str(path)] = [network(x) for x in inputs]
    line = [sys.executable, "-I", "-c", WITHOUT_MONAI, str(tmp_path / "inputs.pt"), str(tmp_path / "found.pt"), *wanted]
    ended = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert ended.returncode == 0, ended.stderr
    found = torch.load(tmp_path / "found.pt")
    for path, logits in wanted.items():
        torch.testing.assert_close(found[path], logits, rtol=0, atol=1e-5)

"""OpenVINO in place of torch: the same masks, and nothing told to anybody."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cli
import numpy as np
import pytest
import signal_stack
import tifffile
import torch
from monai.networks.nets import BasicUNet
from torch import nn

from custom.base.errors import BadInput
from custom.inferers import SliceInferer
from custom.metrics.masks import dice_of
from custom.networks import ENet, TransforCNN
from custom.phantom import make_cell
from custom.segmenting.agreement import MembersAgreement
from custom.sharing.fitting import declared_network
from custom.speed import engines, openvino, prepare

pytest.importorskip("openvino", reason="OpenVINO is not installed")


def unet(seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return BasicUNet(2, 1, 1, (8, 8, 8, 8, 8, 8), dropout=0.1).eval()


def transforcnn() -> nn.Module:
    torch.manual_seed(0)
    return TransforCNN(img_size=32).eval()


def windows(count: int, side: int = 32) -> torch.Tensor:
    return torch.rand(count, 1, side, side, generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize("make", [unet, transforcnn])
@torch.inference_mode()
def test_the_same_logits_of_any_number_of_windows(make: Callable[[], nn.Module]) -> None:
    """It is made for batches of 4."""
    fast = openvino.run_by_openvino(make(), (4, 1, 32, 32), "fp32")
    for count in (4, 1, 3, 9):
        torch.testing.assert_close(fast(windows(count)), make()(windows(count)), rtol=0, atol=1e-5)


@torch.inference_mode()
def test_what_it_gave_is_not_written_over() -> None:
    fast = openvino.run_by_openvino(unet(), (4, 1, 32, 32), "fp32")
    first = fast(windows(4))
    kept = first.clone()
    fast(windows(4) * 0.5)
    assert torch.equal(first, kept)


@pytest.mark.skipif(sys.platform != "linux", reason="signals have no stack that is seen in /proc")
def test_engines_that_end_in_any_order_leave_a_stack_for_signals() -> None:
    engines = [openvino.Engine(openvino.converted(unet(seed), (1, 1, 32, 32)), 1, "fp32") for seed in range(3)]
    while engines:
        del engines[0]
        gc.collect()
        assert signal_stack.is_there()


@torch.inference_mode()
def test_members_of_a_blend_run_by_it_and_are_listened_to() -> None:
    def blend() -> ENet:
        return ENet([unet(0), unet(1), unet(2)], [0.5, 0.0, 0.5])

    fast = openvino.run_by_openvino(blend(), (2, 1, 32, 32), "fp32")
    assert [hasattr(member.forward, "request") for member in fast.members] == [True, False, True]
    counts = []
    for network in (blend(), fast):
        heard = MembersAgreement(network)
        torch.testing.assert_close(network(windows(2)), blend()(windows(2)), rtol=0, atol=1e-5)
        counts.append(heard.taken()["members"])
    np.testing.assert_array_equal(counts[0], counts[1])


@pytest.mark.parametrize(
    ("name", "precision"), [("unet", "fp32"), ("unet", "bf16"), ("ynet", "bf16"), ("transforcnn", "bf16")]
)
def test_masks_are_those_of_torch(name: str, precision: str) -> None:
    """Of a cell, with the shipped weights: Dice to the mask of torch in fp32 .9995 at least."""
    cell = make_cell(seed=7, slices=16).image.astype(np.float32)
    low, high = np.percentile(cell, (0.5, 99.5))
    volume = torch.from_numpy(((cell - low) / (high - low)).clip(0, 1))[None, None]
    masks = []
    for engine, used in (("torch", "fp32"), ("openvino", precision)):
        network, side = declared_network(name)
        inferer = SliceInferer(side, 8, precision=used)
        masks.append((inferer(volume, prepare(network, inferer, engine=engine)) >= 0).numpy())
    assert masks[0].sum() > 10_000 and dice_of(*masks) >= 0.9995


def test_other_logits_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openvino.Engine, "__call__", lambda self, x: x)
    with pytest.raises(BadInput, match="computes other logits than this network .*; give --engine torch"):
        openvino.run_by_openvino(unet(), (2, 1, 32, 32), "fp32")


def test_a_network_that_it_cannot_run_is_refused() -> None:
    class Branches(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x if x.sum() > 0 else -x

    with pytest.raises(BadInput, match="--engine openvino: cannot run this network .*; give --engine torch"):
        openvino.run_by_openvino(Branches(), (2, 1, 32, 32), "fp32")


@pytest.mark.parametrize(
    ("engine", "device", "voxels", "compiles", "there", "found"),
    [
        ("auto", "cpu", 39_999_999, False, True, "torch"),
        ("auto", "cpu", 40_000_000, False, True, "openvino"),
        ("auto", "cpu", 10**10, False, False, "torch"),
        ("auto", "cuda", 10**10, False, True, "torch"),
        ("auto", "cpu", 10**10, True, True, "torch"),
        ("torch", "cpu", 10**10, False, True, "torch"),
        ("openvino", "cpu", 1, False, True, "openvino"),
        ("openvino", "cuda", 1, False, True, "runs on the CPU, not on cuda; give --device cpu"),
        ("openvino", "cpu", 1, True, True, "has nothing for torch to compile"),
        ("openvino", "cpu", 1, False, False, "is not installed; pip install openvino, or give --engine torch"),
        ("onnx", "cpu", 1, False, True, "is unknown; give one of auto, torch, openvino"),
    ],
)
def test_which_engine(
    engine: str, device: str, voxels: int, compiles: bool, there: bool, found: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "has_openvino", lambda: there)
    if found in engines.ENGINES:
        assert engines.resolved_engine(engine, device, voxels, compiles) == found
        return
    with pytest.raises(BadInput, match=f"--engine {engine}: .*{found}"):
        engines.resolved_engine(engine, device, voxels, compiles)


def test_from_the_command_line_for_any_slab_height(tmp_path: Path) -> None:
    import json

    volume = cli.volume((5, 140, 150))
    tifffile.imwrite(tmp_path / "stack.tif", volume, photometric="minisblack")
    weights = cli.tiny_weights(tmp_path / "tiny.pt", volume)
    masks = {}
    for name, options in {
        "torch": {"engine": "torch"},
        "whole": {"engine": "openvino"},
        "slabs": {"engine": "openvino", "slab_height": 2},
    }.items():
        ended = cli.segment(tmp_path / "stack.tif", tmp_path / name, weights, output_format="tiff", **options)
        assert ended.code == 0, ended.error
        masks[name] = tifffile.imread(tmp_path / name / "mask.tif")
        assert json.loads((tmp_path / name / "summary.json").read_text())["engine"] == options["engine"]
    np.testing.assert_array_equal(masks["whole"], masks["slabs"])
    assert dice_of(masks["whole"], masks["torch"]) >= 0.9995
    ended = cli.segment(tmp_path / "stack.tif", tmp_path / "no", weights, engine="onnx")
    assert ended.code == 2 and "--engine onnx: is unknown; give one of auto, torch, openvino" in ended.error


def test_its_maker_is_told_nothing(tmp_path: Path) -> None:
    """Imported as it is, it leaves an identifier in ~/intel and sends what it did."""
    code = "import torch\nfrom custom.speed.openvino import run_by_openvino\n"
    code += "run_by_openvino(torch.nn.Conv2d(1, 1, 3, padding=1).eval(), (2, 1, 16, 16), 'fp32')"
    environment = {**os.environ, "HOME": str(tmp_path), "PYTHONPATH": str(cli.ROOT)}
    subprocess.run([sys.executable, "-c", code], env=environment, cwd=tmp_path, check=True, capture_output=True)
    assert not (tmp_path / "intel").exists()

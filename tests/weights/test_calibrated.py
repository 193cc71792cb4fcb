"""Weights divided by a temperature: the logits are, whatever the network, and nothing else changes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from ignite.engine import Engine
from monai.networks.nets import BasicUNet, UNet
from torch import nn

from custom.handlers import Checkpoint
from custom.networks import TransforCNN, YNet
from custom.running import OutputFolder
from custom.weights.calibrated import divided, output_layer

WINDOWS = torch.rand(2, 1, 32, 32, generator=torch.Generator().manual_seed(0))
NETWORKS = {
    "unet": lambda: BasicUNet(2, 1, 1, (4, 4, 8, 8, 8, 4), act=("relu", {"inplace": True}), norm="batch"),
    "ynet": lambda: YNet(features=4),
    "transforcnn": lambda: TransforCNN(img_size=32),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_logits_are_divided(name: str) -> None:
    torch.manual_seed(0)
    network = NETWORKS[name]().train()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    layer = output_layer(network, WINDOWS)
    assert layer is not None
    assert network.training
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())
    network.eval()
    with torch.no_grad():
        logits = network(WINDOWS)
        network.load_state_dict(divided(before, layer, 2.5))
        torch.testing.assert_close(network(WINDOWS), logits / 2.5)


def test_a_network_whose_logits_are_a_sum_has_no_output_layer() -> None:
    network = UNet(2, 1, 1, (4, 8), (2,), num_res_units=2, act="relu", norm="batch")
    assert output_layer(network, WINDOWS) is None


@pytest.mark.parametrize(("summed", "temperature"), [(False, 2.0), (True, None)])
def test_model_is_calibrated_and_the_checkpoint_is_not(tmp_path: Path, summed: bool, temperature: float | None) -> None:
    class Residual(nn.Sequential):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return super().forward(x) + x if summed else super().forward(x)

    network = Residual(nn.Conv2d(1, 1, 3, padding=1), nn.ReLU(), nn.Conv2d(1, 1, 1))
    evaluator = Engine(lambda engine, batch: None)
    checkpoint = Checkpoint(network, {}, OutputFolder(tmp_path), evaluator, "score", patch_size=8)
    trainer = Engine(lambda engine, batch: None)
    trainer.state.epoch = evaluator.state.epoch = 1
    evaluator.state.metrics = {"score": 0.5, "temperature": 2.0}
    checkpoint(trainer)
    model = torch.load(tmp_path / "model.pt", weights_only=True)
    kept = torch.load(tmp_path / "checkpoint.pt", weights_only=True)["network"]
    for key, value in network.state_dict().items():
        torch.testing.assert_close(model[key], value / (2.0 if key.startswith("2.") and not summed else 1.0))
        assert torch.equal(kept[key], value)
    assert json.loads((tmp_path / "model.json").read_text())["temperature"] == temperature

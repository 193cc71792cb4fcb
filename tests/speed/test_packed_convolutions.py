"""Packed convolutions and bfloat16 throughout, against the network as it was."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
from monai.networks.nets import BasicUNet, UNet
from torch import nn

from custom.networks import ENet, TransforCNN, YNet
from custom.speed import fold_batch_norm, pack_convolutions, packing
from custom.speed.lowering import InBfloat16
from custom.speed.packing import PackedConvolution
from custom.speed.precision import autocast

CPU = torch.device("cpu")
SHAPE = (2, 1, 128, 128)
FEATURES = (4, 4, 8, 8, 8, 4)

pytestmark = pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="torch has no oneDNN here")


class Residual(nn.Module):
    """A convolution whose output is used before its ReLU, too."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.relu = nn.Conv2d(1, 2, 3, padding=1), nn.ReLU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        made = self.conv(x)
        return self.relu(made) - 2 * made


NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "BasicUNet": lambda: BasicUNet(2, 1, 1, FEATURES, act=("relu", {"inplace": True}), norm="batch", upsample="deconv"),
    "UNet": lambda: UNet(2, 1, 1, (4, 8, 16), (2, 2), num_res_units=2, act="relu", norm="batch"),
    "YNet": lambda: YNet(features=4),
    "TransforCNN": lambda: TransforCNN(),
    "ENet": lambda: ENet([YNet(features=4), TransforCNN(reading="A")], [0.4, 0.6]),
}


def made_ready(name: str, precision: str) -> tuple[nn.Module, nn.Module]:
    """A folded network and its packed copy."""
    torch.manual_seed(0)
    network = NETWORKS[name]().eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    fold_batch_norm(network, SHAPE)
    packed = copy.deepcopy(network)
    assert pack_convolutions(packed, SHAPE, precision) is packed
    return network, packed


def count(network: nn.Module, kind: type[nn.Module]) -> int:
    return sum(isinstance(module, kind) for module in network.modules())


@pytest.mark.parametrize("batch", [2, 3])
@pytest.mark.parametrize("name", NETWORKS)
@torch.no_grad()
def test_logits_stay_in_float32(name: str, batch: int) -> None:
    network, packed = made_ready(name, "fp32")
    assert count(network, nn.Conv2d) > 0 and count(packed, PackedConvolution) > 0 == count(packed, nn.Conv2d)
    assert count(packed, nn.ReLU) < count(network, nn.ReLU)
    windows = torch.rand(batch, 1, 128, 128)
    expected = network(windows)
    torch.testing.assert_close(packed(windows), expected, rtol=0, atol=1e-4 * float(expected.std()))


@pytest.mark.parametrize("name", NETWORKS)
@torch.no_grad()
def test_bfloat16_is_as_near_to_float32_as_autocast_is(name: str) -> None:
    _check_bfloat16(*made_ready(name, "bf16"))


@torch.no_grad()
def test_bfloat16_on_a_cpu_that_cannot_pack_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "_bf16_packs", lambda: False)
    network, left = made_ready("BasicUNet", "bf16")
    assert count(left, PackedConvolution) == 0
    _check_bfloat16(network, left)


def _check_bfloat16(network: nn.Module, packed: nn.Module) -> None:
    assert count(packed, InBfloat16) > 0
    windows = torch.rand(SHAPE)
    exact = network(windows)
    with autocast(CPU, "bf16"):
        near, found = network(windows).float(), packed(windows).float()
    spread = float(exact.std())
    assert 0 < float((found - exact).abs().mean()) < 1.5 * float((near - exact).abs().mean()) + 1e-3 * spread


@torch.no_grad()
def test_norms_and_position_features_stay_in_float32() -> None:
    _, packed = made_ready("TransforCNN", "bf16")
    kept = [module for module in packed.modules() if isinstance(module, nn.LayerNorm)]
    assert len(kept) == 17 and all(norm.weight.dtype == torch.float32 for norm in kept)
    assert {buffer.dtype for buffer in packed.buffers()} == {torch.float32}


@torch.no_grad()
def test_an_output_that_is_used_before_its_relu_is_left() -> None:
    network = nn.Sequential(Residual()).eval()
    windows = torch.rand(SHAPE)
    before = network(windows)
    pack_convolutions(network, SHAPE, "fp32")
    assert count(network, PackedConvolution) == 0 and torch.equal(network(windows), before)


@torch.no_grad()
def test_other_padding_is_left() -> None:
    network = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1, padding_mode="reflect"), nn.ReLU(), nn.Conv2d(2, 1, 1)).eval()
    windows = torch.rand(SHAPE)
    before = network(windows)
    pack_convolutions(network, SHAPE, "fp32")
    assert count(network, PackedConvolution) == 1 and isinstance(network[0], nn.Conv2d)
    torch.testing.assert_close(network(windows), before)


def test_left_alone_where_it_is_not_wanted_or_not_on_a_cpu() -> None:
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU()).eval()
    pack_convolutions(network, SHAPE, "fp32", wanted=False)
    pack_convolutions(network.to("meta"), SHAPE, "fp32")
    assert isinstance(network[0], nn.Conv2d) and isinstance(network[1], nn.ReLU)

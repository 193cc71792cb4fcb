"""Batch norm folded into convolutions, against the network as it was."""

from __future__ import annotations

import copy

import pytest
import torch
from monai.networks.nets import BasicUNet, UNet
from torch import nn

from custom.networks import ENet, TransforCNN, YNet
from custom.speed import fold_batch_norm

SHAPE = (1, 1, 128, 128)
FEATURES = (4, 4, 8, 8, 8, 4)


class Twice(nn.Module):
    """A convolution whose output is used beside its batch norm, too."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(1, 2, 3, padding=1), nn.BatchNorm2d(2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        made = self.conv(x)
        return made + self.norm(made)


NETWORKS = {
    "BasicUNet": lambda: BasicUNet(2, 1, 1, FEATURES, act=("relu", {"inplace": True}), norm="batch"),
    "UNet": lambda: UNet(2, 1, 1, (4, 8, 16), (2, 2), num_res_units=2, act="relu", norm="batch"),
    "YNet": lambda: YNet(features=4),
    "TransforCNN": lambda: TransforCNN(reading="A"),
    "ENet": lambda: ENet([YNet(features=4), BasicUNet(2, 1, 1, FEATURES, norm="batch")], [0.3, 0.7]),
}


def settled(network: nn.Module) -> nn.Module:
    """With statistics and scales that make a batch norm more than the identity."""
    draw = torch.Generator().manual_seed(0)
    for norm in (module for module in network.modules() if isinstance(module, nn.BatchNorm2d)):
        assert norm.running_mean is not None and norm.running_var is not None
        norm.running_mean.normal_(0, 0.2, generator=draw)
        norm.running_var.uniform_(0.5, 2.0, generator=draw)
        nn.init.uniform_(norm.weight, 0.5, 1.5, generator=draw)
        nn.init.uniform_(norm.bias, -0.3, 0.3, generator=draw)
    return network.eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def norms(network: nn.Module) -> int:
    return sum(isinstance(module, nn.BatchNorm2d) for module in network.modules())


@pytest.mark.parametrize("name", NETWORKS)
@torch.no_grad()
def test_logits_stay_and_the_norms_go(name: str) -> None:
    torch.manual_seed(0)
    network = settled(NETWORKS[name]())
    folded = copy.deepcopy(network)
    assert fold_batch_norm(folded, SHAPE) is folded
    assert norms(network) > 0 and norms(folded) == 0
    windows = torch.rand(3, 1, 128, 128)
    expected = network(windows)
    torch.testing.assert_close(folded(windows), expected, rtol=0, atol=1e-4 * float(expected.std()))
    assert all(
        module.weight.is_contiguous(memory_format=torch.channels_last)
        for module in folded.modules()
        if isinstance(module, nn.Conv2d)
    )


@torch.no_grad()
def test_members_that_do_not_run_are_left() -> None:
    network = settled(ENet([YNet(features=4), YNet(features=4)], [1.0, 0.0]))
    fold_batch_norm(network, SHAPE)
    first, second = network.members  # type: ignore[misc]
    assert norms(first) == 0 < norms(second)


@torch.no_grad()
def test_a_convolution_that_serves_twice_is_left() -> None:
    network = settled(Twice())
    windows = torch.rand(SHAPE)
    before, state = network(windows), copy.deepcopy(network.state_dict())
    fold_batch_norm(network, SHAPE)
    assert norms(network) == 1 and network.state_dict().keys() == state.keys()
    assert torch.equal(network(windows), before)


def test_a_network_without_batch_norm_is_left() -> None:
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.InstanceNorm2d(2), nn.ReLU())
    state = copy.deepcopy(network.state_dict())
    fold_batch_norm(network, (1, 1, 16, 16))
    assert all(torch.equal(value, state[key]) for key, value in network.state_dict().items())


@pytest.mark.parametrize("bias", [3e37, torch.inf])
@torch.no_grad()
def test_numbers_whose_spread_is_beyond_float32_leave_the_network_as_it_is(bias: float) -> None:
    network = nn.Sequential(nn.Conv2d(1, 1, 1), nn.BatchNorm2d(1), nn.Conv2d(1, 1, 1)).eval()
    nn.init.constant_(network[2].weight, bias)
    assert norms(fold_batch_norm(network, SHAPE)) == 1

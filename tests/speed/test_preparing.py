"""A network made ready gives the logits of the network as it was, and is another one inside."""

from __future__ import annotations

import copy

import pytest
import torch
from monai.networks.nets import BasicUNet
from torch import nn

from custom.inferers import SliceInferer
from custom.networks import YNet
from custom.speed import prepare


@pytest.mark.parametrize("network", [BasicUNet(2, 1, 1, (8, 8, 8, 8, 8, 8), norm="batch"), YNet(1, 1)])
def test_the_logits_stay(network: nn.Module) -> None:
    torch.manual_seed(0)
    network.train()(torch.rand(4, 1, 64, 64))  # statistics that folding has to take along
    windows = torch.rand(3, 1, 64, 64)
    with torch.no_grad():
        wanted = copy.deepcopy(network).eval()(windows)
        ready = prepare(copy.deepcopy(network), SliceInferer(64, 3, precision="fp32"))
        found = ready(windows)
    assert not ready.training
    assert sum(isinstance(part, nn.BatchNorm2d) for part in ready.modules()) < sum(
        isinstance(part, nn.BatchNorm2d) for part in network.modules()
    )
    torch.testing.assert_close(found, wanted, rtol=1e-3, atol=1e-4 * float(wanted.std()))


def test_it_is_compiled_in_place_of_packed(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[tuple[str, bool]] = []
    monkeypatch.setattr("custom.speed.preparing.pack_convolutions", lambda *_, wanted: done.append(("packed", wanted)))
    monkeypatch.setattr("custom.speed.preparing.compile_network", lambda *_, wanted: done.append(("compiled", wanted)))
    for compiles in (False, True):
        prepare(nn.Conv2d(1, 1, 3, padding=1), SliceInferer(16, 2), compiles=compiles)
    assert done == [("packed", True), ("compiled", False), ("packed", False), ("compiled", True)]

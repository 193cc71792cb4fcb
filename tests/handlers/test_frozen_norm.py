"""Batch norm over a training: batch statistics first, then the running ones."""

from __future__ import annotations

import copy

import cli
import pytest
import torch
from ignite.engine import Engine, Events
from torch import nn

from custom.handlers import FreezeBatchNorm, TrainingBudget


def training(epochs: int, start: float = 0.5) -> tuple[Engine, nn.Module, TrainingBudget]:
    """An engine that trains a small network with batch norm the way MONAI's trainer does, 2 iterations an epoch."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Conv2d(3, 1, 1))
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)

    def step(engine: Engine, batch: torch.Tensor) -> float:
        network.train()
        optimizer.zero_grad()
        loss = (network(batch) - 1).square().mean()
        loss.backward()
        optimizer.step()
        return float(loss.detach())

    engine = Engine(step)
    engine.state.max_epochs = epochs
    budget = TrainingBudget(optimizer)
    budget.attach(engine)
    engine.network = network  # type: ignore[attr-defined]
    FreezeBatchNorm(budget, start).attach(engine)
    return engine, network, budget


def states(engine: Engine, network: nn.Module) -> list[dict[str, torch.Tensor]]:
    """The network's state after every epoch."""
    found: list[dict[str, torch.Tensor]] = []
    engine.add_event_handler(Events.EPOCH_COMPLETED, lambda: found.append(copy.deepcopy(network.state_dict())))
    data = [3 + torch.randn(4, 1, 8, 8), 5 * torch.randn(4, 1, 8, 8)]
    engine.run(data, max_epochs=engine.state.max_epochs)
    return found


def test_the_running_statistics_stay_in_the_second_half_and_all_else_goes_on() -> None:
    engine, network, _ = training(epochs=4)
    one, two, three, four = states(engine, network)
    for name in ("1.running_mean", "1.running_var", "1.num_batches_tracked"):
        assert not torch.equal(one[name], two[name])
        assert torch.equal(two[name], three[name]) and torch.equal(three[name], four[name])
    for name in ("0.weight", "1.weight", "1.bias", "3.weight"):
        assert not torch.equal(three[name], four[name])


def test_the_frozen_network_trains_on_what_inference_computes() -> None:
    engine, network, _ = training(epochs=2)
    states(engine, network)
    x = 2 + 3 * torch.randn(4, 1, 8, 8)
    as_trained = network.train()(x)
    torch.testing.assert_close(as_trained, network.eval()(x), rtol=0, atol=0)


def test_a_training_that_is_taken_up_in_its_second_half_is_frozen_at_once() -> None:
    engine, network, budget = training(epochs=4)
    budget.load_state_dict(budget.state_dict() | {"progress": 0.75, "epochs_done": 3})
    before = copy.deepcopy(network.state_dict())
    after = states(engine, network)[0]
    assert torch.equal(before["1.running_mean"], after["1.running_mean"])


@pytest.mark.parametrize("start", [0.0, 1.0])
def test_the_ends_of_the_range(start: float) -> None:
    engine, network, _ = training(epochs=2, start=start)
    first = network.state_dict()["1.running_mean"].clone()
    frozen = [torch.equal(first, state["1.running_mean"]) for state in states(engine, network)]
    assert frozen == [start == 0.0] * 2


@pytest.mark.parametrize(("overlays", "start"), [((), 2), (("network_unet",), 0.5), (("network_ynet",), 0.5)])
def test_a_transforcnn_is_never_frozen(overlays: tuple[str, ...], start: float) -> None:
    parser = cli.parser_of("train", *overlays)
    assert parser.get_parsed_content("frozen_from") == start

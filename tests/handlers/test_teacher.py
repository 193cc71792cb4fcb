"""The averaged network: its weights by hand, what is validated, and going on."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from ignite.engine import Engine, Events
from torch import nn

from custom.handlers import Checkpoint, Teacher, TrainingBudget
from custom.running import OutputFolder


class Run:
    """A network whose weight is the number of the step, and a teacher of it."""

    def __init__(self, momentum: float = 0.25) -> None:
        self.network = nn.Sequential(nn.Conv2d(1, 1, 1, bias=False), nn.BatchNorm2d(1))
        self.evaluator: Any = Engine(lambda engine, batch: None)
        self.evaluator.network = self.network
        self.teacher = Teacher(self.network, self.evaluator, momentum)
        self.engine = Engine(self.step)
        self.teacher.attach(self.engine)

    def step(self, engine: Engine, batch: object) -> None:
        with torch.no_grad():
            self.network[0].weight.fill_(engine.state.iteration)  # type: ignore[operator]
            self.network[1].running_mean.fill_(10.0 * engine.state.iteration)  # type: ignore[operator, union-attr]


def value(network: nn.Module) -> float:
    return float(network.state_dict()["0.weight"])


def test_the_last_ninth_of_the_steps_as_long_as_there_are_few() -> None:
    run = Run(momentum=0.6)
    run.network[0].weight.data.fill_(0.0)
    run.engine.run(range(3), max_epochs=1)
    expected = 0.0
    for step, share in ((1, 9 / 11), (2, 9 / 12), (3, 9 / 13)):
        expected += share * (step - expected)
    assert value(run.teacher.ema_model) == pytest.approx(expected)
    run.engine.run(range(3), max_epochs=2)
    for step, share in ((4, 9 / 14), (5, 0.6), (6, 0.6)):
        expected += share * (step - expected)
    assert value(run.teacher.ema_model) == pytest.approx(expected)
    mean = run.teacher.ema_model.state_dict()["1.running_mean"]
    assert float(mean) == pytest.approx(10 * expected) and value(run.network) == 6


def test_it_begins_with_weights_that_were_loaded_late_and_is_validated() -> None:
    run = Run()
    run.network[0].weight.data.fill_(-8.0)
    started: list[float] = []
    run.engine.add_event_handler(Events.STARTED, lambda _: started.append(value(run.evaluator.network)))
    run.engine.run(range(1), max_epochs=1)
    assert started == [-8.0] and run.evaluator.network is run.teacher.ema_model
    assert not run.teacher.ema_model.training


def test_it_goes_on_from_its_state() -> None:
    whole, first, second = Run(), Run(), Run()
    for run in (whole, first):
        run.network[0].weight.data.fill_(0.0)
    whole.engine.run(range(3), max_epochs=4)
    first.engine.run(range(3), max_epochs=2)
    second.teacher.load_state_dict(first.teacher.state_dict())
    at = {"iteration": 6, "epoch": 2}
    second.engine.add_event_handler(Events.STARTED, lambda engine: engine.state.__dict__.update(at))
    second.engine.run(range(3), max_epochs=4)
    assert value(second.teacher.ema_model) == pytest.approx(value(whole.teacher.ema_model))


def test_model_pt_is_what_was_validated(tmp_path: Path) -> None:
    """And checkpoint.pt holds both networks."""
    run = Run()
    run.evaluator.state.metrics = {"score": 0.5}
    budget = TrainingBudget(torch.optim.SGD(run.network.parameters(), lr=0.1))
    tells: Any = SimpleNamespace(of=lambda *_: {})
    parts: dict[str, Any] = {"budget": budget, "teacher": run.teacher}
    checkpoint = Checkpoint(run.network, parts, OutputFolder(tmp_path), run.evaluator, "score", record=tells)
    checkpoint.attach(run.engine)
    run.engine.run(range(3), max_epochs=1)
    kept, state = (torch.load(tmp_path / name, weights_only=True) for name in ("model.pt", "checkpoint.pt"))
    assert float(kept["0.weight"]) == pytest.approx(value(run.teacher.ema_model)) != 3.0
    assert float(state["network"]["0.weight"]) == 3.0
    assert float(state["teacher"]["0.weight"]) == pytest.approx(value(run.teacher.ema_model))

"""A training whose numbers are none any more ends there, and what was good before stays."""

from __future__ import annotations

import json
import math
from pathlib import Path

import ignite.distributed as idist
import pytest
import torch
from cli import TINY, train
from ignite.engine import Engine, Events
from torch import nn

from custom.base.errors import BadInput, NotFinite
from custom.handlers import Checkpoint, StopDiverged, TrainingBudget
from custom.inferers import PatchInferer
from custom.running import OutputFolder
from custom.weights import first_not_finite, read_state


class Training:
    """Two iterations an epoch; `losses` are those of all iterations, weights are changed after `spoils_in`."""

    def __init__(
        self, folder: Path, losses: list[float], spoils_in: int = 0, value: float = math.nan, precision: str = "fp32"
    ) -> None:
        self.network = nn.Conv2d(1, 1, 3)
        self.evaluator = Engine(lambda engine, batch: None)
        self.engine = Engine(lambda engine, batch: {"loss": torch.tensor(losses[engine.state.iteration - 1])})
        self.engine.logger.disabled = self.evaluator.logger.disabled = True
        self.optimizer = torch.optim.AdamW(self.network.parameters(), lr=0.0002)
        self.engine.network, self.engine.inferer = self.network, PatchInferer(precision)  # type: ignore[attr-defined]
        self.engine.state.device = "cpu"  # type: ignore[attr-defined]
        StopDiverged(TrainingBudget(self.optimizer), OutputFolder(folder)).attach(self.engine)
        self.engine.add_event_handler(Events.EPOCH_STARTED, self.spoil, spoils_in, value)
        checkpoint = Checkpoint(self.network, {}, OutputFolder(folder), self.evaluator, "score")
        checkpoint.attach(self.engine)

    def spoil(self, engine: Engine, epoch: int, value: float) -> None:
        if engine.state.epoch == epoch:
            nn.init.constant_(self.network.weight, value)

    def refusal(self) -> str:
        with pytest.raises(BadInput) as refused:
            self.engine.run(range(2), max_epochs=3)
        return str(refused.value)


@pytest.mark.parametrize("loss", [math.nan, math.inf, -math.inf])
def test_a_loss_that_is_no_number_ends_the_training_at_the_epoch_before(tmp_path: Path, loss: float) -> None:
    told = Training(tmp_path, [1, 1, 1, loss], precision="bf16").refusal()
    assert f"diverged in epoch 2 (its loss is {loss:g}); epoch 1 is kept" in told
    assert "--resume true" in told and "--learning_rate, such as 2e-05, or with --precision fp32" in told
    assert json.loads((tmp_path / "model.json").read_text())["epoch"] == 1
    assert torch.load(tmp_path / "checkpoint.pt", weights_only=True)["trainer"]["epoch"] == 1


def test_nothing_is_left_of_a_first_epoch(tmp_path: Path) -> None:
    told = Training(tmp_path, [math.nan]).refusal()
    assert "epoch 1" in told and "begin again with" in told and "--resume" not in told and "fp32" not in told
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_the_step_after_the_last_loss_is_looked_at_too(tmp_path: Path, value: float) -> None:
    told = Training(tmp_path, [1.0] * 6, spoils_in=2, value=value).refusal()
    assert "diverged in epoch 2 (9 of the 9 numbers of 'weight' are" in told
    assert first_not_finite(read_state(tmp_path / "model.pt")) is None


def test_a_gradient_whose_square_is_infinite_ends_the_training(tmp_path: Path) -> None:
    """AdamW divides by the root of it: the weights stay finite, and stay what they are whatever comes."""
    training = Training(tmp_path, [1.0] * 6)

    def step(engine: Engine) -> None:
        training.network.weight.grad = torch.full_like(training.network.weight, 1e30 if engine.state.epoch == 2 else 1)
        training.optimizer.step()

    training.engine.add_event_handler(Events.ITERATION_STARTED, step)
    told = training.refusal()
    assert "diverged in epoch 2 (9 of the 9 numbers of 'optimizer.0.exp_avg_sq' are infinite); epoch 1 is kept" in told


def test_a_validation_that_computes_nan_is_told_with_its_epoch(tmp_path: Path) -> None:
    training = Training(tmp_path, [1.0] * 6)

    def validate(engine: Engine, batch: object) -> None:
        if engine.state.epoch == 2:
            raise NotFinite("no epoch")

    training.evaluator._process_function = validate

    def run(engine: Engine) -> None:
        training.evaluator.state.epoch = engine.state.epoch - 1
        training.evaluator.state.max_epochs = None
        training.evaluator.run([0], max_epochs=engine.state.epoch)

    training.engine.add_event_handler(Events.EPOCH_COMPLETED, run)
    assert (
        "diverged in epoch 2 (its validation computes NaN or infinite numbers); epoch 1 is kept" in training.refusal()
    )


def test_all_ranks_end_where_one_has_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idist, "get_world_size", lambda: 2)
    monkeypatch.setattr(idist, "all_reduce", lambda mine, op: {"MIN": min, "MAX": max}[op](mine, 0.0))
    assert "epoch 1" in Training(tmp_path, [1.0, 1.0]).refusal()


def test_the_cure_works(labelled_set: Path, tmp_path: Path) -> None:
    def run(**options: object) -> tuple[int, str]:
        outcome = train(labelled_set, tmp_path, network_def=TINY, max_minutes=0, precision="fp32", **options)
        return outcome.code, outcome.error

    assert run() == (0, "")
    code, told = run(max_epochs=2, resume=True, **{"optimizer#lr": 1e38})
    assert code == 2 and "diverged in epoch 2" in told and "--learning_rate, such as 0.0001" in told
    assert run(max_epochs=2, resume=True, learning_rate=0.0001) == (0, "")
    rates = [line.split(",")[2] for line in (tmp_path / "metrics.csv").read_text().splitlines()[1:]]
    # a new curve begins, so that only the rate tells
    assert float(rates[1]) < 0.0001 < 0.001

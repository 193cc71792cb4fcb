"""The learning rate over a training, and its end in time."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import ignite.distributed as idist
import pytest
import torch
from ignite.engine import Engine, Events

from custom.handlers import TrainingBudget

LENGTH = 5  # iterations an epoch


class Clock:
    """Stands for time.time; the training itself moves it on."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(time, "time", clock)
    return clock


def budget(max_minutes: float | None = None, base: float = 0.1, **options: float) -> TrainingBudget:
    return TrainingBudget(torch.optim.SGD([torch.zeros(1)], lr=base), max_minutes, **options)


def train(
    budget: TrainingBudget, max_epochs: int, clock: Clock, seconds: Callable[[int], float] = lambda _: 1
) -> list[float]:
    """Run a training whose epoch n takes `seconds(n)`; the learning rate of every iteration."""
    rates: list[float] = []

    def step(engine: Engine, batch: object) -> None:
        rates.append(budget.optimizer.param_groups[0]["lr"])
        clock.now += seconds(engine.state.epoch) / LENGTH

    engine = Engine(step)
    engine.logger.disabled = True
    budget.attach(engine)
    # as the checkpoint does on a restart
    engine.add_event_handler(Events.STARTED, lambda e: setattr(e.state, "epoch", budget.epochs_done))
    engine.run(range(LENGTH), max_epochs=max_epochs)
    return rates


def cosine(done: float, total: int, warmup: int, floor: float) -> float:
    """The documented curve, in its own words: linear rise times a cosine from 1 to the floor."""
    progress = done / total
    rise = 1.0 if done >= warmup else done / warmup
    return rise * (floor + (1 - floor) * math.cos(math.pi * progress / 2) ** 2)


@pytest.mark.parametrize(("warmup", "floor"), [(2, 0.01), (13, 0.0), (0, 0.1)])
def test_learning_rate_against_the_formula(clock: Clock, warmup: int, floor: float) -> None:
    rates = train(budget(base=0.1, warmup=warmup, floor=floor), 8, clock)
    total = 8 * LENGTH
    expected = [0.1 * cosine(i + 0.5, total, warmup, floor) for i in range(total)]
    assert rates == pytest.approx(expected, rel=1e-9)


def test_every_group_keeps_its_own_base(clock: Clock) -> None:
    weights = [{"params": [torch.zeros(1)], "lr": 0.1}, {"params": [torch.zeros(1)], "lr": 0.01}]
    optimizer = torch.optim.SGD(weights)
    train(TrainingBudget(optimizer), 3, clock)
    first, second = (group["lr"] for group in optimizer.param_groups)
    assert first == pytest.approx(10 * second)
    assert first < 0.02


@pytest.mark.parametrize("max_minutes", [None, 0, 100])
def test_without_a_binding_limit_all_epochs_run(clock: Clock, max_minutes: float | None) -> None:
    assert len(train(budget(max_minutes), 7, clock)) == 7 * LENGTH


@pytest.mark.parametrize(("epoch_s", "epochs"), [(10, 6), (7, 8), (25, 2), (59, 1), (600, 1), (12.1, 5)])
def test_ends_with_the_last_whole_epoch_that_fits(clock: Clock, epoch_s: float, epochs: int) -> None:
    start = clock.now
    rates = train(budget(max_minutes=1), 1000, clock, lambda _: epoch_s)
    assert len(rates) == epochs * LENGTH
    # a tenth of an epoch more at the most, or the one epoch that every training gets
    assert clock.now - start <= 60 + 0.1 * epoch_s or epochs == 1


def test_the_rate_comes_down_where_time_binds(clock: Clock) -> None:
    rates = train(budget(max_minutes=1, base=1.0), 1000, clock, lambda _: 2)
    assert len(rates) == 30 * LENGTH
    assert max(rates) > 0.9
    assert rates[-1] < 0.02
    steps = [b - a for a, b in zip(rates, rates[1:], strict=False)]
    assert max(abs(step) for step in steps[2 * LENGTH :]) < 0.05


def test_the_plan_follows_epochs_that_become_slower(clock: Clock) -> None:
    start = clock.now
    rates = train(budget(max_minutes=2, base=1.0), 1000, clock, lambda epoch: 2 if epoch <= 10 else 8)
    assert clock.now - start <= 120 + 8
    assert rates[-1] < 0.1


@pytest.mark.parametrize("cut", [1, 4, 7])
def test_a_restart_changes_nothing_where_time_does_not_bind(clock: Clock, cut: int) -> None:
    whole = train(budget(max_minutes=1000), 8, clock, lambda epoch: 1 + epoch % 3)

    class Killed(Exception):
        pass

    def killing(epoch: int) -> float:
        if epoch > cut:
            raise Killed
        return 5.0

    first = budget(max_minutes=1000)
    with pytest.raises(Killed):
        train(first, 8, clock, killing)
    state = first.state_dict()
    clock.now += 1e6  # the machine was off
    second = budget(max_minutes=1000)
    second.load_state_dict(state)
    assert train(second, 8, clock) == whole[cut * LENGTH :]


def test_time_is_counted_over_restarts(clock: Clock) -> None:
    first = budget(max_minutes=1)
    train(first, 2, clock, lambda _: 10)
    state = first.state_dict()
    clock.now += 1e6
    second = budget(max_minutes=1)
    second.load_state_dict(state)
    assert len(train(second, 1000, clock, lambda _: 10)) == 4 * LENGTH
    assert second.elapsed == pytest.approx(60)
    third = budget(max_minutes=1)
    third.load_state_dict(second.state_dict())
    assert train(third, 1000, clock, lambda _: 10) == []


def test_a_restart_takes_the_rate_that_is_given(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    first = budget(base=0.1, warmup=0)
    train(first, 2, clock)
    caplog.set_level("INFO")
    for base, told in ((0.1, ""), (0.02, "began with the learning rate 0.1 and goes on with 0.02")):
        second = budget(base=base, warmup=0)
        second.load_state_dict(first.state_dict())
        assert train(second, 4, clock)[0] == pytest.approx(base * cosine(0.5, 2 * LENGTH, 0, 0.01))
        assert told in caplog.text and bool(told) == bool(caplog.text)


def test_a_finished_training_ends_at_once(clock: Clock) -> None:
    first = budget()
    train(first, 3, clock)
    second = budget()
    second.load_state_dict(first.state_dict())
    assert train(second, 3, clock) == []


def test_more_epochs_after_the_end_begin_a_new_curve(clock: Clock) -> None:
    first = budget(base=0.1)
    train(first, 4, clock)
    again = budget(base=0.1)
    again.load_state_dict(first.state_dict())
    rates = train(again, 10, clock)
    assert rates == pytest.approx([0.1 * cosine(i + 0.5, 6 * LENGTH, 0, 0.01) for i in range(6 * LENGTH)])


def test_an_engine_that_runs_again_goes_on_in_epochs_and_time(clock: Clock) -> None:
    """As federated learning does: some epochs more in every round."""
    rounds = budget(max_minutes=1, base=0.1, warmup=0)
    rates: list[float] = []

    def step(engine: Engine, batch: object) -> None:
        rates.append(rounds.optimizer.param_groups[0]["lr"])
        clock.now += 10 / LENGTH

    engine = Engine(step)
    engine.logger.disabled = True
    rounds.attach(engine)
    for done in (2, 4):
        engine.run(range(LENGTH), max_epochs=done)
        clock.now += 1e6  # other laboratories train
    assert rates == pytest.approx(2 * [0.1 * cosine(i + 0.5, 2 * LENGTH, 0, 0.01) for i in range(2 * LENGTH)])
    assert rounds.elapsed_before == pytest.approx(40)
    engine.run(range(LENGTH), max_epochs=100)
    assert len(rates) == 6 * LENGTH  # a minute holds six epochs, whichever round they are in


def test_epochs_left_for_the_display(clock: Clock) -> None:
    left: list[int] = []
    limited = budget(max_minutes=1)
    engine = Engine(lambda engine, batch: setattr(clock, "now", clock.now + 2))
    engine.logger.disabled = True
    limited.attach(engine)
    engine.add_event_handler(Events.EPOCH_COMPLETED, lambda e: left.append(limited.epochs_left(e)))
    engine.run(range(LENGTH), max_epochs=100)
    assert left == [5, 4, 3, 2, 1, 0]


def test_all_ranks_end_when_the_first_does(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[float] = []

    def from_rank_0(value: float) -> float:
        told.append(value)
        return 2.0 if len(told) < 3 else 0.0

    monkeypatch.setattr(idist, "get_world_size", lambda: 2)
    monkeypatch.setattr(idist, "broadcast", from_rank_0)
    rates = train(budget(max_minutes=1), 1000, clock, lambda _: 1)
    assert told == [59, 58, 57]  # what this rank measured by itself
    assert len(rates) == 3 * LENGTH

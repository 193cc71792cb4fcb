"""The end of a training in time, and the learning rate that fits it."""

from __future__ import annotations

import logging
import math
import time
from typing import Any, cast

import ignite.distributed as idist
from ignite.engine import Engine, Events
from ignite.handlers import TimeLimit
from torch.optim import Optimizer


class TrainingBudget(TimeLimit):
    """Ignite's `TimeLimit`, kept to whole epochs and over restarts, with a cosine learning rate that ends with it.

    A run ends after `max_epochs` or with the last epoch that fits into `max_minutes`, whichever comes first, so that the
    last validation and checkpoint are always those of a whole epoch (`TimeLimit` stops within one). Before each epoch the
    number of epochs that are left is planned anew, from the mean duration of the epochs so far; progress p in [0, 1] then grows evenly
    towards 1 at the end of the plan, and the learning rate is

        base * min(i / warmup, 1) * (floor + (1 - floor) * (1 + cos(pi p)) / 2)

    in the middle of each iteration (i = 0.5, 1.5, ...). As long as the time is not what binds, p is (iterations done) /
    (all iterations) and two runs are identical. A training that had come to its end and is given more epochs or minutes,
    by a restart or by the next round of federated learning, begins a new p at 0: at the floor it would learn little.

    Args:
        optimizer: its learning rates at construction are the base values.
        max_minutes: minutes of training in all, restarts included; 0 or None: no limit.
        warmup: iterations in which the rate grows linearly; not a share of the run, whose length is a guess at first.
        floor: the last rate as a share of the base.
    """

    def __init__(
        self, optimizer: Optimizer, max_minutes: float | None = None, warmup: int = 20, floor: float = 0.01
    ) -> None:
        super().__init__(limit_sec=max(1, round(max_minutes * 60)) if max_minutes else 10**9)
        self.logger = logging.getLogger("training")
        self.optimizer = optimizer
        self.warmup = warmup
        self.floor = floor
        self.base = [group["lr"] for group in optimizer.param_groups]
        self.progress = 0.0  # at the epoch's start
        self.now = 0.0  # in this iteration
        self.target = 0.0
        self.elapsed_before = 0.0
        self.epochs_done = 0
        self.fitting = math.inf

    def attach(self, engine: Engine) -> None:
        """MONAI's handler protocol."""
        engine.add_event_handler(Events.STARTED, self._start)
        engine.add_event_handler(Events.EPOCH_STARTED, self._plan)
        engine.add_event_handler(Events.ITERATION_STARTED, self._set_rate)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self._end_epoch)
        engine.add_event_handler(Events.COMPLETED, self._pause)

    @property
    def elapsed(self) -> float:
        """Seconds of training, restarts included."""
        return self.elapsed_before + time.time() - self.start_time

    def _measure(self) -> None:
        """Find how many whole epochs the remaining time holds; all ranks take rank 0's answer, as they must end together."""
        mean = self.elapsed / self.epochs_done
        # a tenth of an epoch of slack, so that an epoch that runs a little longer than the mean is not left out
        fitting = float(math.floor((self.limit_sec - self.elapsed) / mean + 0.1))
        self.fitting = cast(float, idist.broadcast(fitting)) if idist.get_world_size() > 1 else fitting

    def epochs_left(self, engine: Engine) -> int:
        """Epochs still to come, the current one included when called at its start."""
        return int(max(0, min((engine.state.max_epochs or 0) - self.epochs_done, self.fitting)))

    def rate(self, progress: float, iterations: float) -> float:
        """Share of the base learning rate at a progress in [0, 1], after so many iterations."""
        rise = min(iterations / self.warmup, 1.0) if self.warmup else 1.0
        return rise * (self.floor + (1 - self.floor) * (1 + math.cos(math.pi * progress)) / 2)

    def _start(self, engine: Engine) -> None:
        self.start_time = time.time()
        if self.epochs_done:
            self._measure()
            if self.fitting < 1:
                engine.terminate()
        if self.progress >= 1.0:
            self.progress = 0.0

    def _pause(self, engine: Engine) -> None:
        # an engine may run again, hours later
        self.elapsed_before = self.elapsed
        self.start_time = time.time()

    def _plan(self, engine: Engine) -> None:
        self.target = self.progress + (1.0 - self.progress) / max(1, self.epochs_left(engine))

    def _set_rate(self, engine: Engine) -> None:
        length = engine.state.epoch_length or 1
        step = (engine.state.iteration - 1) % length + 0.5
        self.now = self.progress + (self.target - self.progress) * step / length
        share = self.rate(self.now, self.epochs_done * length + step)
        for group, base in zip(self.optimizer.param_groups, self.base, strict=True):
            group["lr"] = base * share

    def _end_epoch(self, engine: Engine) -> None:
        self.progress = self.target
        self.epochs_done += 1
        self._measure()
        if self.fitting < 1 and self.epochs_done < (engine.state.max_epochs or 0):
            self.logger.info("The time of %d s is used up after epoch %d.", self.limit_sec, engine.state.epoch)
            engine.terminate()

    def state_dict(self) -> dict[str, Any]:
        """What a restart needs."""
        return {"progress": self.progress, "elapsed": self.elapsed, "epochs_done": self.epochs_done, "base": self.base}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from `state_dict`."""
        self.progress = state["progress"]
        self.elapsed_before = state["elapsed"]
        self.epochs_done = state["epochs_done"]
        # the rate that was given decides, so that a training which diverged can go on with a lower one
        if state["base"] != self.base:
            rates = [", ".join(f"{rate:g}" for rate in base) for base in (state["base"], self.base)]
            self.logger.info("The training began with the learning rate %s and goes on with %s.", *rates)
        self.start_time = time.time()

"""A teacher: the running average of the network that is trained."""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from ignite.engine import Engine, Events
from ignite.handlers import EMAHandler

from custom.handlers.same_buffers import SameBuffers


class Teacher(EMAHandler):
    """Ignite's `EMAHandler`, which goes on after a restart, and whose average is what is validated and kept.

    The average is that of the last 1 / `momentum` steps or so, and at first of the last ninth of all steps: 9 / (10 +
    i) of step i counts, as in TensorFlow's ExponentialMovingAverage, so that it forgets the weights that a training
    begins with. Buffers are averaged too. `model.pt` holds what the evaluator has scored, see `Checkpoint`.

    Args:
        network: the network that is trained, wrapped for several processes or not.
        evaluator: gets the teacher in place of the network.
        momentum: the share of each step's weights.

    Attributes:
        ema_model: the teacher, in eval mode.
    """

    def __init__(self, network: torch.nn.Module, evaluator: Engine, momentum: float = 0.01) -> None:
        super().__init__(network, momentum, handle_buffers="update")
        self.evaluator: Any = evaluator
        self.goes_on = False

    def attach(self, engine: Engine) -> None:  # type: ignore[override]
        """MONAI's handler protocol."""
        engine.add_event_handler(Events.STARTED, self._start)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._set_momentum)
        super().attach(engine)
        if dist.is_initialized():
            self.evaluator.add_event_handler(Events.STARTED, SameBuffers(self.ema_model))

    def _start(self, engine: Engine) -> None:
        if not self.goes_on:  # weights may have been loaded since the teacher was made
            self.ema_model.load_state_dict(self.model.state_dict())
        self.goes_on = True
        self.evaluator.network = self.ema_model

    def _set_momentum(self, engine: Engine) -> None:
        engine.state.ema_momentum = max(self.momentum, 9 / (10 + engine.state.iteration))  # type: ignore[attr-defined]

    def state_dict(self) -> dict[str, Any]:
        """The teacher's weights."""
        return dict(self.ema_model.state_dict())

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from `state_dict`."""
        self.ema_model.load_state_dict(state)
        self.goes_on = True

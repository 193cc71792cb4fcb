"""A training that diverges ends there, before anything of it is kept."""

from __future__ import annotations

import math
import os
from typing import Any

import ignite.distributed as idist
import torch
from ignite.engine import Engine, Events

from custom.base.errors import BadInput, NotFinite
from custom.weights import first_not_finite, tensors_in


class StopDiverged:
    """Refuses to go on where the loss, the weights, the optimizer's moments or the logits of a validation are not finite.

    Ignite's `TerminateOnNan` looks at the same, and ends the run as if it were done; both MONAI's and Ignite's savers keep
    a first score of NaN as the best for ever. Here it ends with the refusal that names the epoch and the cure;
    `checkpoint.pt` and `model.pt` stay those of the epochs before. A loss may be finite and the step that follows from it
    not: so the weights are looked at after each epoch's last step. A gradient beyond 1.8e19, whose square is infinite,
    leaves them as they are for ever: so the optimizer's moments are too. All ranks end in
    the same iteration and say so, for torchrun ends the others with the first.

    Place it before the validation in the list of the trainer's handlers.

    Args:
        network: the network that is trained.
        optimizer: what trains it.
        evaluator: the validation, whose inferer raises `NotFinite`.
        output_dir: the training's folder.
        learning_rate: its highest one.
        precision: "fp32" or "bf16", as the device takes it.
    """

    def __init__(
        self,
        network: torch.nn.Module,
        optimizer: torch.optim.Optimizer,
        evaluator: Engine,
        output_dir: str | os.PathLike[str],
        learning_rate: float,
        precision: str = "fp32",
    ) -> None:
        self.network = network
        self.optimizer = optimizer
        self.evaluator = evaluator
        self.output_dir = output_dir
        self.learning_rate = learning_rate
        self.precision = precision

    def attach(self, engine: Engine) -> None:
        """MONAI's handler protocol."""
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._check_loss)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self._check_weights)
        self.evaluator.add_event_handler(Events.EXCEPTION_RAISED, self._name_epoch)

    def _check_loss(self, engine: Engine) -> None:
        output: Any = engine.state.output
        loss = float(output["loss"].detach())
        finite = float(math.isfinite(loss))
        if idist.get_world_size() > 1:
            finite = float(idist.all_reduce(finite, "MIN"))
        if not finite:
            raise self._refusal(engine.state.epoch, f"its loss is {loss:g}")

    def _check_weights(self, engine: Engine) -> None:
        moments = tensors_in(self.optimizer.state_dict()["state"], "optimizer")
        if fault := first_not_finite({**self.network.state_dict(), **moments}):
            raise self._refusal(engine.state.epoch, fault)

    def _name_epoch(self, engine: Engine, error: BaseException) -> None:
        if isinstance(error, NotFinite):
            # the evaluator is run with the trainer's epoch as its own
            raise self._refusal(engine.state.epoch, "its validation computes NaN or infinite numbers") from error
        raise error

    def _refusal(self, epoch: int, fault: str) -> BadInput:
        kept = (
            f"epoch {epoch - 1} is kept, go on from it with --resume true and"
            if epoch > 1
            else "nothing of it is kept, begin again with"
        )
        slower = f"a lower --learning_rate, such as {self.learning_rate / 10:g}"
        exact = ", or with --precision fp32" if self.precision == "bf16" else ""
        return BadInput(f"{self.output_dir}: the training diverged in epoch {epoch} ({fault}); {kept} {slower}{exact}")

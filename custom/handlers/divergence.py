"""A training that diverges ends there, before anything of it is kept."""

from __future__ import annotations

import math
from typing import Any, Protocol, runtime_checkable

import ignite.distributed as idist
import torch
from ignite.engine import Engine, Events

from custom.base.errors import BadInput, NotFinite
from custom.handlers.budget import TrainingBudget
from custom.running import OutputFolder
from custom.weights import first_not_finite, tensors_in

SAFE = 0.0001  # a tenth of the default, with which all networks train


@runtime_checkable
class Rounding(Protocol):
    """An inferer that may compute in bfloat16, as `PatchInferer` does."""

    def rounds(self, device: str | torch.device) -> bool: ...


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
        budget: knows the optimizer and the highest learning rate.
        folder: the training's.
    """

    def __init__(self, budget: TrainingBudget, folder: OutputFolder) -> None:
        self.budget = budget
        self.folder = folder

    def attach(self, engine: Engine) -> None:
        """MONAI's handler protocol."""
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._check_loss)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self._check_weights)
        engine.add_event_handler(Events.EXCEPTION_RAISED, self._name_epoch)

    def _check_loss(self, engine: Engine) -> None:
        output: Any = engine.state.output
        loss = float(output["loss"].detach())
        finite = float(math.isfinite(loss))
        if idist.get_world_size() > 1:
            finite = float(idist.all_reduce(finite, "MIN"))
        if not finite:
            raise self._refusal(engine, f"its loss is {loss:g}")

    def _check_weights(self, engine: Engine) -> None:
        moments = tensors_in(self.budget.optimizer.state_dict()["state"], "optimizer")
        trained: Any = engine.network  # type: ignore[attr-defined]
        network = getattr(trained, "module", trained)
        if fault := first_not_finite({**network.state_dict(), **moments}):
            raise self._refusal(engine, fault)

    def _name_epoch(self, engine: Engine, error: BaseException) -> None:
        if isinstance(error, NotFinite):
            raise self._refusal(engine, "its validation computes NaN or infinite numbers") from error
        raise error

    def _refusal(self, engine: Engine, fault: str) -> BadInput:
        state: Any = engine.state
        epoch, inferer = state.epoch, getattr(engine, "inferer", None)
        kept = (
            f"epoch {epoch - 1} is kept, go on from it with --resume true and"
            if epoch > 1
            else "nothing of it is kept, begin again with"
        )
        slower = f"a lower --learning_rate, such as {min(max(self.budget.base) / 10, SAFE):g}"
        exact = ", or with --precision fp32" if isinstance(inferer, Rounding) and inferer.rounds(state.device) else ""
        return BadInput(f"{self.folder.path}: the training diverged in epoch {epoch} ({fault}); {kept} {slower}{exact}")

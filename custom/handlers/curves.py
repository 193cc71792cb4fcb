"""The training's curves: a line per epoch on the terminal, in metrics.csv and in TensorBoard."""

from __future__ import annotations

import csv
import logging
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ignite.engine import Engine, Events
from torch.utils.tensorboard.writer import SummaryWriter

from custom.base.files import complete_file
from custom.handlers.budget import TrainingBudget
from custom.metrics import PatchOverlap
from custom.report import training_done
from custom.running import OutputFolder

logger = logging.getLogger("training")


class TrainingCurves:
    """Collects loss, scores, learning rate and speed of every epoch.

    Place it after the validation and the budget in the handler list; its rows go through the checkpoint, so that
    metrics.csv has each epoch once, however often the training was cut off.

    Args:
        evaluator: its `state.metrics` of the last validation are recorded, beside the trainer's own where it has any.
        budget: tells how many epochs are left; its optimizer's first learning rate is recorded.
        folder: where metrics.csv goes.
        writer: a TensorBoard writer, or None.
        overlap: the evaluator's score, whose classes, if they are several, are recorded one by one: `mdsc_NAME`.
    """

    def __init__(
        self,
        evaluator: Engine,
        budget: TrainingBudget,
        folder: OutputFolder,
        writer: SummaryWriter | None = None,
        overlap: PatchOverlap | None = None,
    ) -> None:
        self.evaluator = evaluator
        self.budget = budget
        self.folder = folder
        self.path = Path(folder.path) / "metrics.csv"
        self.writer = writer
        self.overlap = overlap if overlap is not None and len(overlap.classes) > 1 else None
        self.rows: list[dict[str, float]] = []

    def attach(self, engine: Engine) -> None:
        """MONAI's handler protocol."""
        engine.add_event_handler(Events.EPOCH_STARTED, self._start)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._add_loss)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self)

    def _start(self, engine: Engine) -> None:
        self.started = time.time()
        self.iterations_s = 0.0
        self.losses: list[float] = []

    def _add_loss(self, engine: Engine) -> None:
        output: Any = engine.state.output
        self.losses.append(float(output["loss"].detach()))
        self.iterations_s = time.time() - self.started

    def __call__(self, engine: Engine) -> None:
        row: dict[str, float] = {
            "epoch": engine.state.epoch,
            "minutes": round(self.budget.elapsed / 60, 3),
            "learning_rate": self.budget.optimizer.param_groups[0]["lr"],
            "train_loss": sum(self.losses) / max(1, len(self.losses)),
            "patches_per_s": round(_patches(engine) / max(self.iterations_s, 1e-9), 2),
            **{name: float(value) for name, value in engine.state.metrics.items()},
        }
        # the evaluator is run with the trainer's epoch as its own; an epoch that val_interval leaves out has no scores
        if self.evaluator.state.epoch == engine.state.epoch:
            row |= {name: float(value) for name, value in self.evaluator.state.metrics.items()} | self._of_classes()
        self.rows.append(row)
        if not self.folder.writes:
            return
        self._write_csv()
        if self.writer is not None:
            for name, value in row.items():
                self.writer.add_scalar(name, value, engine.state.epoch)
            self.writer.flush()
        logger.info(self._line(row, engine))

    def _of_classes(self) -> dict[str, float]:
        """mDSC of each of several classes."""
        found = self.overlap.class_scores() if self.overlap else {}
        return {f"mdsc_{name}": float(scores["dsc_a"] or 0.0) for name, scores in found.items()}

    def _line(self, row: dict[str, float], engine: Engine) -> str:
        left = self.budget.epochs_left(engine)
        minutes_left = left * self.budget.elapsed / max(1, self.budget.epochs_done) / 60
        scores = "  ".join(f"{name} {row[name]:.4f}" for name in row if name.startswith("val_"))
        each = {name: value for name, value in row.items() if name.startswith("mdsc_")}
        if each:
            worst = min(each, key=lambda name: each[name])
            scores += f"  {worst.removeprefix('mdsc_')} worst {each[worst]:.4f}"
        return (
            f"epoch {engine.state.epoch}: loss {row['train_loss']:.4f}  {scores}  "
            f"{row['patches_per_s']:.1f} patches/s  {left} epochs and about {minutes_left:.1f} min left"
        )

    def _write_csv(self) -> None:
        names = list(dict.fromkeys(name for row in self.rows for name in row))
        with complete_file(self.path) as part, open(part, "w", newline="", encoding="utf-8") as handle:
            table = csv.DictWriter(handle, names)
            table.writeheader()
            table.writerows(self.rows)

    def tell_what_is_next(self, commands: Mapping[str, str]) -> None:
        """The last words of a training, see `training_done`.

        Args:
            commands: what to give next, by what it does.
        """
        if self.folder.writes:
            training_done(self.folder.path, commands, self.rows)

    def state_dict(self) -> dict[str, Any]:
        """The rows so far."""
        return {"rows": self.rows}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from `state_dict`."""
        self.rows = list(state["rows"])


def _patches(engine: Engine) -> int:
    """Of an epoch, over all processes."""
    loader: Any = engine.state.dataloader
    return len(loader.dataset)

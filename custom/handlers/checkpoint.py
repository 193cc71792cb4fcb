"""Two files: model.pt for using the network, checkpoint.pt for going on."""

from __future__ import annotations

import io
import json
import logging
import math
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import monai
import torch
from ignite.engine import Engine, Events

from custom.base.errors import BadInput
from custom.base.files import complete_file
from custom.report import write_json
from custom.running import OutputFolder
from custom.running.interruption import shielded
from custom.weights import first_not_finite, sha256, tensors_in
from custom.weights.calibrated import divided, output_layer
from custom.weights.same_parts import KINDS, check_parts, kinds, load_optimizer

logger = logging.getLogger("training")
SLOWER = "give a lower --learning_rate, with --resume true from the second epoch on"
SPLIT = ("split", "earlier", "scans", "hold_out")  # what a record says of slices
SETTLED = 0.75  # from here on the learning rate is below 16 % of its start


class Stateful(Protocol):
    """Whatever has a state to save: networks, optimizers, handlers."""

    def state_dict(self) -> Any: ...
    def load_state_dict(self, state: Any) -> Any: ...


class Record(Protocol):
    """Tells how weights come about, as `TrainingRecord` does."""

    def of(self, trainer: Any, evaluator: Any, patch_size: int, learning_rate: float) -> dict[str, Any]: ...


class Checkpoint:
    """After every epoch: writes `checkpoint.pt`, and `model.pt` when the validation score is the best so far.

    An epoch of the budget's last quarter goes before any earlier one, whatever their scores. While the learning rate is
    high, scores jump, and the highest of them is luck with the validation slices: on the phantom it chose U-Nets of
    0.983, 0.971 and 0.984 pooled Dice on the test cells, in trainings whose last epochs reached 0.986, 0.987 and 0.988.
    The last epoch alone would not do: on the sandstone it has 0.865, and the best of the last quarter 0.873.

    `model.pt` is a flat, tensors-only state dict, which is what every client of a bundle loads: they load a checkpoint that
    nests it without complaint, and leave the network as it was initialised. `checkpoint.pt` holds the state of all
    `parts`, of the trainer and the best score; since every epoch is seeded by itself (`EpochSeed`), it is all that an exact
    continuation needs. Both are written atomically. Place it after validation and budget in the list.

    Both say which slices the training knows: a resumed one that has got further ones tells it also beside older weights.

    Where the evaluator has a metric `temperature`, the logits of `model.pt` are divided by it: the weights of the last
    convolution are. A network whose logits more than one layer makes keeps them, and `model.json` says so.

    Args:
        network: the network, wrapped for several processes or not.
        parts: more named objects with `state_dict`/`load_state_dict`. The `budget` knows the optimizer, which is one too, and
            the progress of the training; without one all epochs count alike.
        folder: where both files go. A run that is to go on from `checkpoint.pt`, but was cut off before its first epoch ended,
            has none and starts anew.
        evaluator: its `state.metrics[metric]` is compared, higher is better, and where it has scored another network than `network`,
            such as a `Teacher`'s, `model.pt` holds that one. None: that of the part `curves`.
        metric: the name of the score.
        patch_size: side of a patch that the network takes, by which its last convolution is found.
        record: tells how the weights came about (network, data, split, recipe); goes into both files, and into `model.json`
            beside `model.pt` with the epoch, the score and the versions of torch and MONAI.

    Raises:
        BadInput: a checkpoint is there and neither resume nor overwrite was asked for, or a checkpoint that does
            not fit or is of a training that diverged.
    """

    def __init__(
        self,
        network: torch.nn.Module,
        parts: Mapping[str, Stateful],
        folder: OutputFolder,
        evaluator: Engine | None = None,
        metric: str = "val_mdsc",
        patch_size: int = 128,
        record: Record | None = None,
    ) -> None:
        self.network = getattr(network, "module", network)
        budget: Any = parts.get("budget")
        self.budget = budget
        self.parts: dict[str, Stateful] = ({"optimizer": budget.optimizer} if budget else {}) | dict(parts)
        self.folder, self.writes = Path(folder.path), folder.writes
        curves: Any = parts.get("curves")
        self.evaluator: Any = curves.evaluator if evaluator is None else evaluator
        self.metric = metric
        self.patch_size = patch_size
        self.tells = record
        self.record: dict[str, Any] = {}
        self.split_before: dict[str, Any] | None = None
        self.best = -1.0
        self.best_is_settled = False
        self.best_epoch = 0
        self.grown = False  # whether the split has slices that the record beside the weights does not know
        self.trainer_state: dict[str, Any] | None = None
        self.path = self.folder / "checkpoint.pt"
        if folder.resume and not self.path.exists():
            logger.info("%s is not there yet: the training starts with its first epoch.", self.path)
        elif folder.resume:
            self._load()
        elif self.path.exists() and not folder.overwrite:
            raise BadInput(
                f"{self.path}: this folder holds a training already; give --resume true to go on with it, "
                "--overwrite true to start anew, or another --output_dir"
            )

    def attach(self, engine: Engine) -> None:
        """MONAI's handler protocol."""
        engine.add_event_handler(Events.STARTED, self._place)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self)

    def _place(self, engine: Engine) -> None:
        if self.tells is not None:
            self.record = self.tells.of(engine, self.evaluator, self.patch_size, self.budget.base[0])
        if self.split_before is not None:
            self.grown = self.split_before != {part: self.record.get(part) for part in SPLIT}
            self.split_before = None
        if self.trainer_state:
            engine.state.epoch = self.trainer_state["epoch"]
            # a whole number of epochs, also where another batch size made them longer or shorter
            engine.state.iteration = engine.state.epoch * (engine.state.epoch_length or 0)

    @shielded()  # model.pt, its model.json and checkpoint.pt are of one epoch
    def __call__(self, engine: Engine) -> None:
        # an epoch that val_interval leaves out has no score of its own; until the first score the latest epoch counts
        validated = self.evaluator.state.epoch == engine.state.epoch
        score = float(self.evaluator.state.metrics.get(self.metric, -1.0)) if validated else -1.0
        score = score if math.isfinite(score) else -1.0  # nothing is better than NaN
        settled = self.budget is not None and self.budget.progress > SETTLED
        best = self.best < 0 or (score >= 0 and (settled, score) > (self.best_is_settled, self.best))
        if best:
            self.best, self.best_is_settled, self.best_epoch = score, settled, engine.state.epoch
        weights = self.network.state_dict()
        if fault := first_not_finite(weights):
            raise BadInput(f"{self.path}: the training diverged in epoch {engine.state.epoch} ({fault}); {SLOWER}")
        if not self.writes:
            return
        if best:
            temperature, calibrated = self._calibrated()
            save(calibrated, self.folder / "model.pt")
            write_json(self.folder / "model.json", self._provenance(engine) | {"temperature": temperature})
            self.grown = False
        elif self.grown:
            self._renew_split()
        state = {name: part.state_dict() for name, part in self.parts.items()}
        state |= {"network": dict(weights), "trainer": {"epoch": engine.state.epoch}}
        state |= {"record": self.record, KINDS: kinds(self.parts)}
        state |= {"best": self.best, "best_is_settled": self.best_is_settled, "best_epoch": self.best_epoch}
        save(state, self.path)

    def _calibrated(self) -> tuple[float | None, dict[str, torch.Tensor]]:
        """The temperature that was applied, None for none, and the weights that were scored with it."""
        scored = getattr(self.evaluator, "network", self.network)
        network: torch.nn.Module = getattr(scored, "module", scored)
        weights = network.state_dict()
        temperature = self.evaluator.state.metrics.get("temperature")
        if temperature is None:
            return None, dict(weights)
        device = next(network.parameters()).device
        layer = output_layer(network, torch.zeros((1, 1, self.patch_size, self.patch_size), device=device))
        if layer is None:
            return None, dict(weights)
        return float(temperature), divided(weights, layer, float(temperature))

    def _provenance(self, engine: Engine) -> dict[str, Any]:
        return {
            **self.record,
            "epoch": engine.state.epoch,
            "iterations": engine.state.iteration,
            "validation": {name: float(value) for name, value in self.evaluator.state.metrics.items()},
            "weights_sha256": sha256(self.folder / "model.pt"),
            "versions": {"torch": torch.__version__, "monai": monai.__version__},
        }

    def _renew_split(self) -> None:
        """Slices that a resumed training has learned from since are no test of it, also where older weights are kept."""
        path = self.folder / "model.json"
        try:
            noted = json.loads(path.read_text(encoding="utf-8"))
            write_json(path, noted | {part: self.record[part] for part in SPLIT if part in self.record})
        except (OSError, ValueError, TypeError):
            logger.warning("%s: is missing or damaged, so that nothing tells how model.pt came about.", path)
        self.grown = False

    def _load(self) -> None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the refusal says all there is to say
                state = torch.load(self.path, map_location="cpu", weights_only=True)
        except Exception as error:
            raise BadInput(
                f"{self.path}: is damaged or no checkpoint; give --overwrite true to start anew, with --weights where a "
                "model.pt is left"
            ) from error
        try:
            moments = {key: found for name in self.parts for key, found in tensors_in(state[name], name).items()}
            if fault := first_not_finite({**state["network"], **moments}):
                raise BadInput(
                    f"{self.path}: is of a training that diverged ({fault}); give --overwrite true to start anew"
                )
            self.network.load_state_dict(state["network"])
            check_parts(self.path, self.parts, state)
            for name, part in self.parts.items():
                if isinstance(part, torch.optim.Optimizer):
                    load_optimizer(part, state[name])
                else:
                    part.load_state_dict(state[name])
            self.best, self.best_epoch, self.trainer_state = state["best"], state["best_epoch"], state["trainer"]
            self.best_is_settled = state["best_is_settled"]
            self.split_before = {part: state.get("record", {}).get(part) for part in SPLIT}
            self.best = self.best if math.isfinite(self.best) else -1.0
        except BadInput:
            raise
        except Exception as error:
            raise BadInput(
                f"{self.path}: does not fit this training ({' '.join(str(error).split())[:160]}); resume with the config "
                "files and the network that began it"
            ) from error


def save(content: Mapping[str, Any], path: Path) -> None:
    """`torch.save`, complete or not at all; a full disk is a `BadInput` (torch itself would raise a RuntimeError)."""
    serialised = io.BytesIO()
    torch.save(content, serialised)
    # given back at once: Python before 3.12.3 crashes over a view of it that an error's traceback keeps
    with complete_file(path) as part, serialised.getbuffer() as whole:
        part.write_bytes(whole)

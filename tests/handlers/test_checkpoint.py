"""model.pt and checkpoint.pt: what they hold, when they are written, and what is refused."""

from __future__ import annotations

import errno
import json
import math
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from ignite.engine import Engine, Events
from torch import nn

from custom.base.errors import BadInput
from custom.handlers import Checkpoint, TrainingBudget
from custom.handlers.checkpoint import save
from custom.running import OutputFolder
from custom.weights import load_weights, sha256


def network(seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Conv2d(2, 1, 3))


class Training:
    """Three iterations an epoch of AdamW on noise, one score after each epoch (None: no validation)."""

    def __init__(
        self,
        folder: Path,
        scores: list[float | None],
        net: nn.Module | None = None,
        record: dict[str, Any] | None = None,
        progress: Sequence[float] = (),
        **options: Any,
    ) -> None:
        self.network = net or network()
        self.optimizer = torch.optim.AdamW(self.network.parameters(), lr=0.01)
        self.scores = scores
        self.evaluator = Engine(lambda engine, batch: None)
        self.engine = Engine(self.step)
        self.engine.state.max_epochs = None
        self.engine.add_event_handler(Events.EPOCH_STARTED, lambda e: torch.manual_seed(e.state.epoch))
        self.engine.add_event_handler(Events.EPOCH_COMPLETED, self.validate)
        self.budget = TrainingBudget(self.optimizer)
        self.progress = progress
        tells: Any = SimpleNamespace(of=lambda *_: record or {})
        place = OutputFolder(folder, **options)
        self.checkpoint = Checkpoint(
            self.network, {"budget": self.budget}, place, self.evaluator, "score", record=tells
        )
        self.checkpoint.attach(self.engine)

    def step(self, engine: Engine, batch: object) -> float:
        self.optimizer.zero_grad()
        loss = self.network(torch.randn(2, 1, 8, 8)).square().mean()
        loss.backward()
        self.optimizer.step()
        return loss.item()

    def validate(self, engine: Engine) -> None:
        score = self.scores[engine.state.epoch - 1]
        self.budget.progress = self.progress[engine.state.epoch - 1] if self.progress else 0.0
        if score is not None:
            self.evaluator.state.epoch = engine.state.epoch
            self.evaluator.state.metrics["score"] = score

    def run(self, max_epochs: int | None = None) -> Training:
        self.engine.run(range(3), max_epochs=max_epochs or len(self.scores))
        return self


def weights(net: nn.Module) -> dict[str, torch.Tensor]:
    return {key: value.clone() for key, value in net.state_dict().items()}


def same(first: dict[str, Any], second: dict[str, Any]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[key], second[key]) for key in first)


def test_model_is_flat_and_of_the_best_epoch(tmp_path: Path) -> None:
    training = Training(tmp_path, [0.2, 0.5, 0.4], record={"loss": "bce"})
    after: list[dict[str, torch.Tensor]] = []
    training.engine.add_event_handler(Events.EPOCH_COMPLETED, lambda _: after.append(weights(training.network)))
    training.run()
    state = torch.load(tmp_path / "model.pt", weights_only=True)
    assert type(state) is dict
    assert all(type(value) is torch.Tensor for value in state.values())
    assert same(state, after[1])
    load_weights(network(9), tmp_path / "model.pt")
    provenance = json.loads((tmp_path / "model.json").read_text())
    assert (provenance["epoch"], provenance["validation"], provenance["loss"]) == (2, {"score": 0.5}, "bce")
    assert provenance["weights_sha256"] == sha256(tmp_path / "model.pt")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint.pt", "model.json", "model.pt"]


@pytest.mark.parametrize(
    ("scores", "best"),
    [
        ([0.0, 0.0], 1),
        ([0.3, None, None], 1),  # an epoch without validation is never better
        ([None, 0.1, None], 2),
        ([None, 0.0, None], 2),
        ([None, None, None], 3),  # without any validation the latest
        ([math.nan, 0.1, 0.2], 3),  # NaN is no score: as the first one, nothing would ever be better
        ([0.3, math.nan, 0.2], 1),
        ([math.nan, math.inf, math.nan], 3),
    ],
)
def test_best_epoch(tmp_path: Path, scores: list[float | None], best: int) -> None:
    training = Training(tmp_path, scores).run()
    assert training.checkpoint.best_epoch == best
    assert json.loads((tmp_path / "model.json").read_text())["epoch"] == best


def test_weights_that_are_no_numbers_are_neither_saved_nor_gone_on_from(tmp_path: Path) -> None:
    training = Training(tmp_path, [0.2, 0.5])
    bias = training.network[1].running_mean
    assert isinstance(bias, torch.Tensor)
    training.engine.add_event_handler(Events.EPOCH_COMPLETED(once=1), lambda _: bias.fill_(math.nan))
    with pytest.raises(BadInput, match=r"checkpoint.pt: the training diverged in epoch 2 .*'1.running_mean' are NaN"):
        training.run()
    kept = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    assert kept["trainer"]["epoch"] == 1
    for state, name in ((kept["network"], "0.bias"), (kept["optimizer"]["state"][1], "exp_avg")):
        before = state[name].clone()
        state[name][0] = math.inf
        torch.save(kept, tmp_path / "checkpoint.pt")
        with pytest.raises(BadInput, match=rf"1 of the 2 numbers of '.*{name}' are infinite.*--overwrite true"):
            Training(tmp_path, [0.2, 0.5], resume=True)
        state[name] = before


@pytest.mark.parametrize("cut", [None, 1, 2, 3])
def test_the_last_quarter_goes_first(tmp_path: Path, cut: int | None) -> None:
    """The second and later epochs end in it; the first is not forgotten where none of them is validated."""

    def train(folder: str, scores: list[float | None], max_epochs: int | None = None, resume: bool = False) -> int:
        Training(tmp_path / folder, scores, progress=[0.75, 0.76, 0.9, 1.0], resume=resume).run(max_epochs)
        return int(json.loads((tmp_path / folder / "model.json").read_text())["epoch"])

    scores: list[float | None] = [0.9, 0.2, 0.5, 0.4]
    if cut:
        train("cut", scores, cut)
    assert train("cut", scores, resume=True) == 3
    assert train("unscored", [0.9, None, None]) == 1


@pytest.mark.parametrize("cut", [1, 3])
def test_a_resumed_training_ends_with_the_same_weights(tmp_path: Path, cut: int) -> None:
    scores: list[float | None] = [0.2, 0.5, 0.4, 0.1]
    whole = Training(tmp_path / "whole", scores).run()
    Training(tmp_path / "cut", scores).run(cut)
    resumed = Training(tmp_path / "cut", scores, network(7), resume=True)
    assert resumed.engine.state.epoch == 0
    resumed.run()
    assert same(weights(whole.network), weights(resumed.network))
    assert resumed.engine.state.iteration == 12
    assert (resumed.checkpoint.best, resumed.checkpoint.best_epoch) == (0.5, 2)
    for name in ("model.pt", "checkpoint.pt"):
        first, second = (torch.load(tmp_path / run / name, weights_only=True) for run in ("whole", "cut"))
        for found in (first, second):
            found.get("budget", {}).pop("elapsed", None)  # of the clock
        assert str(first) == str(second)


def test_resumed_after_its_end(tmp_path: Path) -> None:
    Training(tmp_path, [0.2, 0.5]).run()
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    resumed = Training(tmp_path, [0.2, 0.5], resume=True)
    steps: list[int] = []
    resumed.engine.add_event_handler(Events.ITERATION_STARTED, lambda e: steps.append(e.state.iteration))
    resumed.run()
    assert steps == []
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_another_batch_size_keeps_whole_epochs(tmp_path: Path) -> None:
    Training(tmp_path, [0.2]).run()
    resumed = Training(tmp_path, [0.2, 0.5, 0.6], resume=True)
    steps: list[int] = []
    resumed.engine.add_event_handler(Events.ITERATION_STARTED, lambda e: steps.append(e.state.epoch))
    resumed.engine.run(range(5), max_epochs=3)
    assert steps == [2] * 5 + [3] * 5


def test_a_folder_that_holds_a_training(tmp_path: Path) -> None:
    Training(tmp_path, [0.9]).run()
    with pytest.raises(BadInput, match="--resume true") as caught:
        Training(tmp_path, [0.1])
    assert str(tmp_path / "checkpoint.pt") in str(caught.value)
    anew = Training(tmp_path, [0.1], overwrite=True).run()
    assert anew.checkpoint.best == 0.1


def test_cut_off_before_the_first_epoch_ended(tmp_path: Path) -> None:
    resumed = Training(tmp_path / "cut", [0.2, 0.5], resume=True).run()
    assert same(weights(resumed.network), weights(Training(tmp_path / "whole", [0.2, 0.5]).run().network))


@pytest.mark.parametrize("damage", ["cut", "empty", "text", "another network", "no optimizer", "another optimizer"])
def test_a_checkpoint_that_does_not_fit(tmp_path: Path, damage: str) -> None:
    Training(tmp_path, [0.2]).run()
    path = tmp_path / "checkpoint.pt"
    state = torch.load(path, weights_only=True)
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-500])
    elif damage == "another network":
        torch.save({**state, "network": {"weight": torch.zeros(1)}}, path)
    elif damage == "another optimizer":
        torch.save({**state, "kinds": {"optimizer": "Adagrad"}}, path)
    elif damage == "no optimizer":
        del state["optimizer"]
        torch.save(state, path)
    else:
        path.write_bytes(b"" if damage == "empty" else b"epoch 3")
    words = {"another optimizer": "its optimizer is Adagrad", "no optimizer": "does not fit this training"}
    words["another network"] = words["no optimizer"]
    with pytest.raises(BadInput, match=words.get(damage, "is damaged")) as caught:
        Training(tmp_path, [0.2], resume=True)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_older_weights_tell_of_slices_that_were_learned_from_since(tmp_path: Path) -> None:
    record = {"split": {"train": {"a": "0 aa"}}, "earlier": {}, "loss": "bce"}
    Training(tmp_path, [0.9], record=record).run()
    before = json.loads((tmp_path / "model.json").read_text())
    grown = record | {"split": {"train": {"a": "0 aa", "b": "0 bb"}}, "loss": "focal"}
    Training(tmp_path, [0.9, 0.1], record=grown, resume=True).run()
    assert json.loads((tmp_path / "model.json").read_text()) == before | {"split": grown["split"]}
    assert torch.load(tmp_path / "checkpoint.pt", weights_only=True)["record"] == grown
    (tmp_path / "model.json").unlink()
    Training(tmp_path, [0.9, 0.1, 0.1], record=record, resume=True).run()
    assert not (tmp_path / "model.json").exists()


def test_other_ranks_write_nothing(tmp_path: Path) -> None:
    training = Training(tmp_path, [0.2, 0.5], rank=1).run()
    assert training.checkpoint.best == 0.5
    assert not list(tmp_path.iterdir())


def test_a_wrapped_network_is_saved_without_its_wrapper(tmp_path: Path) -> None:
    inner = network()
    Training(tmp_path, [0.2], nn.DataParallel(inner)).run()
    assert torch.load(tmp_path / "model.pt", weights_only=True).keys() == inner.state_dict().keys()


def test_a_failing_write_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "checkpoint.pt"
    save({"epoch": 1}, path)
    write = Path.write_bytes

    def half(self: Path, content: Any) -> int:
        write(self, bytes(content)[: len(content) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", half)
    with pytest.raises(BadInput, match="No space left"):
        save({"epoch": 2}, path)
    assert torch.load(path, weights_only=True) == {"epoch": 1}
    assert list(tmp_path.iterdir()) == [path]

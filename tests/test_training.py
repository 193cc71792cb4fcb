"""A whole training through the bundle: its files, and that a cut and resumed one ends like one in a piece."""

from __future__ import annotations

import csv
import json
import multiprocessing
from pathlib import Path
from typing import Any

import pytest
import tifffile
import torch
from cli import TINY, train
from ignite.engine import Engine
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from custom.handlers import Checkpoint, EpochSeed, TrainingCurves, checkpoint
from custom.weights import read_state

# dropout, batch normalisation and styles of two scans, so that random state and buffers count
NETWORK = {**TINY, "dropout": 0.3, "norm": "batch"}
TIMES = ("minutes", "patches_per_s")


def run(dataset_dir: Path, output_dir: Path, **options: object) -> str:
    given = {
        "network_def": NETWORK,
        "style_layers": ["conv_0"],
        "max_epochs": 3,
        "max_minutes": 0,
        "patches_per_epoch": 4,
        "precision": "fp32",
    }
    outcome = train(dataset_dir, output_dir, **{**given, **options})
    assert outcome.code == 0, outcome.error
    return outcome.output


@pytest.fixture(scope="module")
def labelled_set(make_labelled_set: Any) -> Path:
    """Two scans, one of them darker."""
    folder = Path(make_labelled_set())
    for part, scale in (("images", 2), ("labels", 1)):
        (whole,) = (folder / part).iterdir()
        tifffile.imwrite(folder / part / "other.tif", tifffile.imread(whole) // scale, photometric="minisblack")
    return folder


@pytest.fixture(scope="module")
def whole(labelled_set: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("runs") / "whole"
    return folder, run(labelled_set, folder)


def table(folder: Path) -> list[dict[str, str]]:
    """metrics.csv without what depends on the clock."""
    with open(folder / "metrics.csv", newline="") as handle:
        return [{k: v for k, v in row.items() if k not in TIMES} for row in csv.DictReader(handle)]


def equal(first: Any, second: Any) -> bool:
    """Whether two nests of dicts, lists, tensors and numbers are equal to the bit."""
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(equal(first[key], second[key]) for key in first)
    if isinstance(first, (list, tuple)):
        return len(first) == len(second) and all(equal(a, b) for a, b in zip(first, second, strict=True))
    return torch.equal(first, second) if isinstance(first, torch.Tensor) else first == second


def state(folder: Path) -> dict[str, Any]:
    """checkpoint.pt without what depends on the clock."""
    content = torch.load(folder / "checkpoint.pt", weights_only=True)
    del content["budget"]["elapsed"]
    for row in content["curves"]["rows"]:
        for name in TIMES:
            del row[name]
    return dict(content)


def test_files(whole: tuple[Path, str]) -> None:
    folder, printed = whole
    names = {path.name for path in folder.iterdir()}
    events = [name for name in names if name.startswith("events.out.tfevents")]
    assert names == {"model.pt", "model.json", "checkpoint.pt", "metrics.csv", "train.log", *events}
    curves = EventAccumulator(str(folder)).Reload()
    assert {"train_loss", "val_mdsc", "learning_rate"} <= set(curves.Tags()["scalars"])
    assert [event.step for event in curves.Scalars("val_mdsc")] == [1, 2, 3]
    assert len(curves.Tags()["images"]) == 1  # one slice is validated
    assert "epoch 3: loss" in (folder / "train.log").read_text()
    assert "epoch 3: loss" in printed
    assert f"In {folder}: model.pt" in printed


def test_curves_and_weights_belong_together(whole: tuple[Path, str]) -> None:
    folder, _ = whole
    rows = table(folder)
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    provenance = json.loads((folder / "model.json").read_text())
    best = rows[2]  # the only epoch that ends in the last quarter of the training
    assert provenance["epoch"] == int(best["epoch"])
    assert provenance["validation"]["val_mdsc"] == pytest.approx(float(best["val_mdsc"]))
    content = torch.load(folder / "checkpoint.pt", weights_only=True)
    assert content["trainer"]["epoch"] == 3
    assert read_state(folder / "model.pt").keys() == content["network"].keys()


def test_the_same_seed_gives_the_same_training(whole: tuple[Path, str], labelled_set: Path, tmp_path: Path) -> None:
    run(labelled_set, tmp_path)
    assert table(tmp_path) == table(whole[0])
    assert equal(state(tmp_path), state(whole[0]))


class Killed(BaseException):
    """Ends a run at once, as the system would."""


@pytest.fixture
def kill_in_epoch_2(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    epochs = [0]
    seed = EpochSeed.__call__

    def seed_and_count(self: EpochSeed, engine: Engine) -> None:
        epochs[0] = engine.state.epoch
        seed(self, engine)

    def killing(original: Any) -> Any:
        def called(*args: Any, **kwargs: Any) -> Any:
            saves_model = isinstance(args[-1], Path) and args[-1].name == "model.pt"
            if epochs[0] == 2 and not saves_model:
                raise Killed
            return original(*args, **kwargs)

        return called

    monkeypatch.setattr(EpochSeed, "__call__", seed_and_count)
    owner, name = {
        "after an iteration": (TrainingCurves, "_add_loss"),
        "after metrics.csv": (Checkpoint, "__call__"),
        "after model.pt": (checkpoint, "save"),
    }[request.param]
    monkeypatch.setattr(owner, name, killing(getattr(owner, name)))


@pytest.mark.parametrize(
    "kill_in_epoch_2",
    ["after an iteration", "after metrics.csv", "after model.pt"],
    indirect=True,
)
@pytest.mark.usefixtures("kill_in_epoch_2")
def test_a_killed_training_goes_on_exactly(
    whole: tuple[Path, str], labelled_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Killed):
        run(labelled_set, tmp_path)
    assert torch.load(tmp_path / "checkpoint.pt", weights_only=True)["trainer"]["epoch"] == 1
    monkeypatch.undo()
    run(labelled_set, tmp_path, resume="true")
    assert table(tmp_path) == table(whole[0])
    assert equal(state(tmp_path), state(whole[0]))
    assert equal(read_state(tmp_path / "model.pt"), read_state(whole[0] / "model.pt"))


def test_resumed_after_its_end(whole: tuple[Path, str], labelled_set: Path) -> None:
    folder, _ = whole
    before = {name: (folder / name).read_bytes() for name in ("model.pt", "checkpoint.pt", "metrics.csv")}
    assert "Trained for 3 epochs" in run(labelled_set, folder, resume="true")
    assert {name: (folder / name).read_bytes() for name in before} == before


def test_starts_from_given_weights(whole: tuple[Path, str], labelled_set: Path, tmp_path: Path) -> None:
    given = read_state(whole[0] / "model.pt")
    # a learning rate of nothing leaves the weights as they came
    run(labelled_set, tmp_path, weights=whole[0] / "model.pt", learning_rate=0.0, max_epochs=1)
    # those of model.pt are divided by a temperature of their own
    trained = torch.load(tmp_path / "checkpoint.pt", weights_only=True)["network"]
    assert all(torch.equal(trained[key], given[key]) for key in given if "running" not in key and "num_b" not in key)


def test_workers_are_forked_whatever_python_starts_by_itself(make_labelled_set: Any, tmp_path: Path) -> None:
    """Python 3.14 starts them anew, handing over each kept slice as an open file, of which some 250 are too many."""
    dataset = make_labelled_set(stacks=(130,), size=(20, 20))
    before = multiprocessing.get_start_method()
    multiprocessing.set_start_method("forkserver", force=True)
    try:
        helped = train(dataset, tmp_path / "helped", network_def=TINY, num_workers=2)
    finally:
        multiprocessing.set_start_method(before, force=True)
    alone = train(dataset, tmp_path / "alone", network_def=TINY)
    assert (helped.code, alone.code) == (0, 0), helped.error
    first, second = (read_state(tmp_path / f"{name}/model.pt") for name in ("helped", "alone"))
    assert all(torch.equal(value, second[key]) for key, value in first.items())

"""A training with unlabelled stacks through the bundle: one class and several, cut off and resumed, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cli
import numpy as np
import pytest
import tifffile
import torch
from conftest import blobs
from ignite.engine import Engine

from custom.handlers import EpochSeed
from custom.weights import read_state

pytestmark = pytest.mark.slow

# dropout and batch normalisation, so that random state and buffers count
NETWORK = {**cli.TINY, "dropout": 0.3, "norm": "batch"}
NOW = {"ramp#start": 0.0, "ramp#length": 0.0}  # pseudo-labels count from the first step on


@pytest.fixture(scope="module")
def stacks(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A TIFF of 16 bits and an array of floats, of sizes of their own."""
    folder = tmp_path_factory.mktemp("unlabelled")
    tifffile.imwrite(folder / "a.tif", blobs(5, (150, 160), seed=40)[0], photometric="minisblack")
    np.save(folder / "b.npy", blobs(4, (100, 170), seed=41)[0].astype(np.float32) / 7)
    return [folder / "a.tif", folder / "b.npy"]


def train(dataset_dir: Path, output_dir: Path, *overlays: str, **options: object) -> cli.Outcome:
    given = {"network_def": NETWORK, "max_minutes": 0, "patches_per_epoch": 4, "precision": "fp32", **NOW}
    return cli.train(dataset_dir, output_dir, *overlays, "semi", **{**given, **options})


class Killed(BaseException):
    """Ends a run at once, as the system would."""


def test_a_cut_training_ends_like_one_in_a_piece(
    labelled_set: Path, stacks: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Network, teacher, optimizer and thresholds to the bit; and the teacher is what is kept."""
    given = {"unlabelled": list(map(str, stacks)), "max_epochs": 3}
    outcome = train(labelled_set, tmp_path / "whole", **given)
    assert outcome.code == 0, outcome.error
    begin = EpochSeed.__call__

    def killing(self: EpochSeed, engine: Engine) -> Any:
        if engine.state.epoch == 3:
            raise Killed
        return begin(self, engine)

    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(EpochSeed, "__call__", killing)
        train(labelled_set, tmp_path / "cut", **given)
    assert train(labelled_set, tmp_path / "cut", **given, resume="true").code == 0
    whole, cut = (torch.load(tmp_path / run / "checkpoint.pt", weights_only=True) for run in ("whole", "cut"))
    for part in ("network", "teacher"):
        assert all(torch.equal(value, cut[part][name]) for name, value in whole[part].items())
    for number, moments in whole["optimizer"]["state"].items():
        assert all(torch.equal(value, cut["optimizer"]["state"][number][name]) for name, value in moments.items())
    assert whole["sure"] == cut["sure"] and whole["sure"]["means"][0] > 0.5
    models = [read_state(tmp_path / run / "model.pt") for run in ("whole", "cut")]
    assert all(torch.equal(value, models[1][name]) for name, value in models[0].items())
    inner = next(name for name in models[0] if name.endswith("weight"))  # no temperature divides it
    assert torch.equal(models[0][inner], whole["teacher"][inner])
    assert not torch.equal(models[0][inner], whole["network"][inner])
    noted = json.loads((tmp_path / "whole/model.json").read_text())["unlabelled"]
    assert [(one["name"], one["shape"]) for one in noted] == [("a.tif", [5, 150, 160]), ("b.npy", [4, 100, 170])]
    cli.evaluated_as_printed(outcome, tmp_path / "whole")


@pytest.mark.parametrize("overlay", ["network_unet", "network_ynet", None])
def test_the_networks_learn_from_what_is_left_of_a_stack(overlay: str | None, tmp_path: Path) -> None:
    """No stack is named: those slices of the labelled one count that nobody labelled."""
    folder = cli.labelled_stack(tmp_path / "set", depth=20)
    label = tifffile.imread(folder / "labels/cell.tif")
    label[[z for z in range(20) if z % 4]] = 255
    tifffile.imwrite(folder / "labels/cell.tif", label, photometric="minisblack")
    small = {"device": "cpu", "patches_per_epoch": 2, "batch_size": 2, **NOW}
    outcome = cli.train(folder, tmp_path / "run", *([overlay] if overlay else []), "semi", **small)
    assert outcome.code == 0, outcome.error
    noted = json.loads((tmp_path / "run/model.json").read_text())
    assert noted["unlabelled"][0]["name"] == "cell.tif" and 0 < noted["unlabelled"][0]["slices"] < 15
    assert noted["loss"] == "dice_bce" and noted["iterations"] == 1


def test_several_classes(labelled_set: Path, stacks: list[Path], tmp_path: Path) -> None:
    folder = tmp_path / "set"
    label = tifffile.imread(labelled_set / "labels/stack_0.tif")
    label[:, ::2] *= 2
    (folder / "labels").mkdir(parents=True)
    (folder / "images").symlink_to(labelled_set / "images")
    tifffile.imwrite(folder / "labels/stack_0.tif", label, photometric="minisblack")
    network = {**NETWORK, "out_channels": 3}
    outcome = train(
        folder,
        tmp_path / "run",
        classes=["even", "odd"],
        network_def=network,
        unlabelled=str(stacks[0]),
        hold_out="blocks",
    )
    assert outcome.code == 0, outcome.error
    state = torch.load(tmp_path / "run/checkpoint.pt", weights_only=True)
    assert len(state["sure"]["means"]) == 3


def test_what_cannot_be_is_refused_before_anything_is_written(
    labelled_set: Path, stacks: list[Path], tmp_path: Path
) -> None:
    outcome = train(labelled_set, tmp_path / "run", unlabelled=str(tmp_path / "nowhere.tif"))
    assert outcome.code == 2
    assert (
        outcome.error
        == f"error: --unlabelled {tmp_path}/nowhere.tif: there is no such file or folder; give the path of a stack"
    )
    assert train(labelled_set, tmp_path / "run", unlabelled="[]").error.startswith(
        "error: --unlabelled []: lists no stack"
    )
    outcome = train(labelled_set, tmp_path / "run")
    assert outcome.code == 2 and "has no unlabelled slices on its training side" in outcome.error
    assert not list((tmp_path / "run").glob("*.pt"))
    assert train(labelled_set, tmp_path / "run", unlabelled=str(stacks[0])).code == 0
    outcome = train(labelled_set, tmp_path / "run", unlabelled=str(stacks[1]), resume="true", max_epochs=2)
    assert outcome.code == 2 and "was begun with the unlabelled slices of a.tif" in outcome.error

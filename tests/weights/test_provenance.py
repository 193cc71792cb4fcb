"""What a training notes is what its objects are, whatever the config's keys say."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import ignite.distributed as idist
import pytest
import torch

from custom.data import PatchDataset, Reading, SliceDataset, split_dataset
from custom.losses import NamedLoss
from custom.transforms import LoadStackd
from custom.weights.provenance import TrainingRecord
from custom.weights.trained import Trained


@pytest.mark.parametrize(("loss", "name"), [(NamedLoss("tversky"), "tversky"), (torch.nn.BCELoss(), "BCELoss")])
def test_the_record(labelled_set: Path, monkeypatch: pytest.MonkeyPatch, loss: torch.nn.Module, name: str) -> None:
    monkeypatch.setattr(idist, "get_world_size", lambda: 2)
    split = split_dataset(labelled_set, seed=3)
    chain: Any = LoadStackd(["image", "label"])
    patches = PatchDataset(split["train"], chain, 5, seed=7, cache_rate=0.0)
    network = torch.nn.DataParallel(torch.nn.Conv2d(1, 1, 3))
    trainer: Any = SimpleNamespace(
        network=network, loss_function=loss, data_loader=SimpleNamespace(dataset=patches, batch_size=3)
    )
    slices = SliceDataset(split["val"], chain, cache_rate=0.0)
    evaluator: Any = SimpleNamespace(data_loader=SimpleNamespace(dataset=slices))
    scaling = {"percentiles": [1, 99], "fixed": None}
    found = TrainingRecord(Trained(), Reading(label_255="lithium"), scaling).of(trainer, evaluator, 64, 0.5)
    assert (found["network"], found["parameters"], found["loss"]) == ("Conv2d", 10, name)
    assert (found["batch_size"], found["patches_per_epoch"], found["seed"]) == (6, 5, 7)
    assert (found["patch_size"], found["learning_rate"], found["grey_window"]) == (64, 0.5, scaling)
    assert (found["reading"], found["classes"]) == ({"label_255": "lithium"}, ["lithium"])
    assert found["train"] == sorted({item["stem"] for item in split["train"]}) and found["started_from"] is None
    assert set(found["split"]["val"]) == {item["stem"] for item in split["val"]} and "started_from_sha256" not in found
    assert found["guard"]["units"] == "slices" and found["guard"]["slices"] == len(split["train"])

"""One more network is its module and its overlay: it trains, is evaluated and segments, and no other file knows of it."""

from __future__ import annotations

import json
from pathlib import Path

import cli
import pytest
import tifffile
import torch

PLANTED = """
import torch

class Planted(torch.nn.Module):
    def __init__(self, out_channels):
        super().__init__()
        parts = (torch.nn.Conv2d(1, 4, 3, padding=1), torch.nn.BatchNorm2d(4), torch.nn.ReLU())
        self.body = torch.nn.Sequential(*parts, torch.nn.Conv2d(4, out_channels, 1))

    def forward(self, slices):
        return self.body(slices)
"""


@pytest.mark.parametrize("classes", [["lithium"], ["dull", "bright"]], ids=len)
def test_it_goes_the_whole_way(classes: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "planted_network.py").write_text(PLANTED)
    monkeypatch.syspath_prepend(tmp_path)
    overlay, out = tmp_path / "network_planted.json", tmp_path / "out"
    network = {"_target_": "planted_network.Planted", "out_channels": "@channels"}
    overlay.write_text(json.dumps({"output_dir": str(out), "network_def": network}))
    dataset = cli.labelled_stack(tmp_path / "cells", side=64)
    if len(classes) == 2:
        path = dataset / "labels/cell.tif"
        label = tifffile.imread(path)
        label[:, ::2] *= 2
        tifffile.imwrite(path, label, photometric="minisblack")
    options = {"dataset_dir": dataset, "classes": classes, "patch_size": 32, "max_epochs": 1, "patches_per_epoch": 4}
    trained = cli.bundle("run", "training", config_file=str(["bundle/configs/train.json", str(overlay)]), **options)
    assert trained.code == 0, trained.error
    state = torch.load(out / "model.pt", weights_only=True)
    channels = 1 if len(classes) == 1 else 1 + len(classes)
    assert state["body.3.weight"].shape == (channels, 4, 1, 1)
    record = json.loads((out / "model.json").read_text())
    assert record["temperature"] is not None  # its last layer was found
    scored = cli.evaluated_as_printed(trained, out)
    assert 0 <= scored["dsc_d"] <= 1
    own = {"STACK": str(dataset / "images/cell.tif"), "OUT": str(tmp_path / "found")}
    segmented = cli.bundle_words([own.get(word, word) for word in cli.printed(trained, "segment")])
    assert segmented.code == 0, segmented.error
    summary = json.loads((tmp_path / "found/summary.json").read_text())
    assert list(summary["classes"]) == classes if len(classes) > 1 else summary["lithium_voxels"] >= 0

"""Two processes train what one process trains."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import cli
import numpy as np
import pytest
import torch
from conftest import blobs


@pytest.mark.slow
@pytest.mark.parametrize("overlay", [None, "semi"])
def test_two_processes_score_like_one(overlay: str | None, labelled_set: Path, tmp_path: Path) -> None:
    """Without unlabelled stacks and with one, whose pseudo-labels count from the first step on."""
    settings = {"max_epochs": 2, "patches_per_epoch": 16, "batch_size": 8, "val_slices": 4, "network_def": cli.TINY}
    overlays = [overlay] if overlay else []
    if overlay:
        np.save(tmp_path / "other.npy", blobs(4, (130, 140), seed=60)[0])
        settings |= {"unlabelled": str(tmp_path / "other.npy"), "ramp#start": 0.0, "ramp#length": 0.0}
    alone = cli.train(labelled_set, tmp_path / "one", *overlays, max_minutes=0, **settings)
    assert alone.code == 0, alone.error
    words = [str(Path(sys.executable).with_name("torchrun")), "--standalone", "--nproc_per_node", "2", "-m"]
    words += [
        "monai.bundle",
        "run",
        "training",
        "--config_file",
        cli.config_file("train", *overlays, "multi_gpu_train"),
    ]
    options = settings | {"dataset_dir": labelled_set, "output_dir": tmp_path / "two", "max_minutes": 0}
    words += [word for key, value in options.items() for word in (f"--{key}", str(value))]
    done = subprocess.run(words, cwd=cli.ROOT, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr[-3000:]

    rows = [list(csv.DictReader((tmp_path / run / "metrics.csv").open()))[-1] for run in ("one", "two")]
    # batch statistics are taken over half the batch in each process, which is all that differs
    assert float(rows[1]["val_loss"]) == pytest.approx(float(rows[0]["val_loss"]), rel=0.05)
    assert float(rows[1]["val_mdsc"]) == pytest.approx(float(rows[0]["val_mdsc"]), abs=0.05)
    keys = [torch.load(tmp_path / run / "model.pt", weights_only=True).keys() for run in ("one", "two")]
    assert keys[0] == keys[1]
    for run in ("one", "two") if overlay else ():
        kept, state = (torch.load(tmp_path / run / name, weights_only=True) for name in ("model.pt", "checkpoint.pt"))
        inner = next(name for name in kept if name.endswith("weight"))  # no temperature divides it
        assert torch.equal(kept[inner], state["teacher"][inner])

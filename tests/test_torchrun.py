"""Two processes train what one process trains."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import cli
import pytest
import torch


@pytest.mark.slow
def test_two_processes_score_like_one(labelled_set: Path, tmp_path: Path) -> None:
    settings = {"max_epochs": 2, "patches_per_epoch": 16, "batch_size": 8, "val_slices": 4, "network_def": cli.TINY}
    alone = cli.train(labelled_set, tmp_path / "one", max_minutes=0, **settings)
    assert alone.code == 0, alone.error
    words = [str(Path(sys.executable).with_name("torchrun")), "--standalone", "--nproc_per_node", "2", "-m"]
    words += ["monai.bundle", "run", "training", "--config_file", cli.config_file("train", "multi_gpu_train")]
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

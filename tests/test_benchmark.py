"""Both modes of the benchmark, on next to nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import cli
import numpy as np
import pytest
import tifffile
from scipy import ndimage

from custom.base.errors import BadInput
from custom.stack import open_stack

pytestmark = pytest.mark.slow


def benchmark(folder: Path, *words: object) -> tuple[dict[str, Any], str]:
    """What `scripts/benchmark.py` wrote as JSON and what it printed."""
    command = [sys.executable, "scripts/benchmark.py", *map(str, words), "--json", str(folder / "found.json")]
    command += ["--repeats", "1", "--threads", "1", "--device", "cpu"]
    ended = subprocess.run(command, cwd=cli.ROOT, env=cli.ENVIRONMENT, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    return json.loads((folder / "found.json").read_text()), ended.stdout


def test_inference(tmp_path: Path) -> None:
    found, printed = benchmark(tmp_path, "inference", "--network", "unet", "--slices", 2, "--size", 192, 320)
    monai, fp32, auto, alone, *by_openvino = found["rows"]
    assert all(row["seconds"] > 0 and row["row"] in printed for row in found["rows"])
    assert monai["x (1)"] == fp32["x (2)"] == alone["share of its limit"] == 1
    assert [row["share of its limit"] == 1 for row in by_openvino] in ([], [False, True])
    assert all(row["Dice to (1)"] > 0.99 for row in by_openvino[:1])
    assert fp32["x (1)"] == pytest.approx(monai["seconds"] / fp32["seconds"])
    assert fp32["Mvoxel/s"] == pytest.approx(2 * 192 * 320 / fp32["seconds"] / 1e6)
    assert found["lithium_share"] > 0 and fp32["Dice to (1)"] > 0.9999 and auto["Dice to (1)"] > 0.99
    assert alone["Dice to (1)"] is None
    assert (found["weights"], found["threads"], found["windows"]) == ("shipped", 1, 12)
    hours = 3849 * 340 * 2071 / (auto["Mvoxel/s"] * 1e6) / 3600
    assert auto["hours for 3849 x 340 x 2071"] == pytest.approx(hours)


def test_training(tmp_path: Path) -> None:
    dataset = cli.labelled_stack(tmp_path / "cells", depth=10)
    words = ("training", "--network", "unet", "--dataset_dir", dataset, "--steps", 1, "--batch_size", 2)
    found, printed = benchmark(tmp_path, *words)
    plain, ours, step = found["rows"]
    assert all(row["samples/s"] == pytest.approx(2 / row["seconds"]) for row in found["rows"])
    assert plain["x (1)"] == step["share of (3)"] == 1
    assert ours["row"] in printed


def test_region(tmp_path: Path) -> None:
    words = [sys.executable, "scripts/benchmark.py", "region", "--slices", "8", "--size", "520", "220"]
    words += ["--repeats", "1", "--threads", "1", "--json", str(tmp_path / "found.json")]
    ended = subprocess.run(words, cwd=cli.ROOT, env=cli.ENVIRONMENT, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    found = json.loads((tmp_path / "found.json").read_text())
    assert found["region"] == [8, 130, 176] and found["raw"][1:] == [520, 220]
    assert [row["x the row above"] is None for row in found["rows"]] == [True, False, True, False, False, True, False]
    for beside, ours in pairwise(found["rows"]):
        if ours["x the row above"] is None:
            continue
        assert ours["x the row above"] == pytest.approx(beside["seconds"] / ours["seconds"])
        assert ours["x the row above"] == pytest.approx(ours["Mvoxel/s"] / beside["Mvoxel/s"])
    assert found["rows"][3]["Mvoxel/s"] == pytest.approx(8 * 130 * 176 / found["rows"][3]["seconds"] / 1e6)


def test_both_rows_of_pieces_find_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(cli.ROOT / "scripts"))
    from benchmarking import pieces

    (tmp_path / "labels").mkdir()
    rng = np.random.default_rng(0)
    for number in range(3):
        cell = ndimage.gaussian_filter(rng.standard_normal((8, 50, 60)), 2) > 0.08
        tifffile.imwrite(tmp_path / f"labels/{number}.tif", cell.astype(np.uint8), photometric="minisblack")
    mask = pieces.tiled(tmp_path, tmp_path, (36, 120, 130))
    assert open_stack(mask, labels=True).shape == (36, 120, 130)
    counts = {name: pieces.row(name, str(mask), 2)() for name in pieces.WHAT}
    assert counts["ours"] == counts["skimage"] > 10
    with pytest.raises(BadInput, match=r"holds no labels; make some by python scripts/make_phantom.py"):
        pieces.tiled(tmp_path / "labels", tmp_path, (4, 9, 9))


def test_starting() -> None:
    words = [sys.executable, "scripts/benchmarking/starting.py", "--repeats", "1", "--stacks", "2"]
    ended = subprocess.run(words, cwd=cli.ROOT, env=cli.ENVIRONMENT, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    rows = [line.split(" | ") for line in ended.stdout.splitlines() if line.startswith("| ") and " --- " not in line][
        1:
    ]
    assert len(rows) == 5 and all(float(row[1]) > 0 for row in rows)
    (told,) = [line for line in ended.stdout.splitlines() if line.startswith("2 such stacks by one command: ")]
    alone = 2 * float(rows[-1][1])
    assert float(told.split(" ")[6]) < alone and "times" in told


def test_disk_to_disk(tmp_path: Path) -> None:
    dataset = cli.labelled_stack(tmp_path / "cells", depth=3)
    words = [sys.executable, "scripts/benchmarking/disk_to_disk.py", "--dataset_dir", dataset, "--slices", "1"]
    words += ["--networks", "unet", "--engines", "torch", "--repeats", "1", "--output_dir", tmp_path / "out"]
    ended = subprocess.run(words, cwd=cli.ROOT, env=cli.ENVIRONMENT, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    network, engine, seconds, _, ratio, peak, written = ended.stdout.splitlines()[-1].strip("| ").split(" | ")
    told = json.loads((tmp_path / "out/runs.jsonl").read_text())
    assert (network, engine, ratio) == ("unet", "torch", "1.00") and 1 < float(seconds) < 100
    assert told["slices"] == 1 and float(peak) > 300 and float(written) > 0
    assert open_stack(tmp_path / "out/stack_1.zarr").shape == (1, 340, 2071)

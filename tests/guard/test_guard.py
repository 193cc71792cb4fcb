"""The verdict on stacks like those of a training and unlike them, what it says, and when it refuses."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from conftest import MakeSet, blobs
from scipy import ndimage

from custom.base.errors import BadInput
from custom.data import labelled_slices
from custom.guard import Guard, reference_of
from custom.stack import Stack, grey_window, open_stack

Record = dict[str, Any]


@pytest.fixture(scope="module")
def record(make_labelled_set: MakeSet) -> Record:
    items = labelled_slices(make_labelled_set(stacks=(4,) * 8))
    return {"guard": reference_of(items), "voxel_size_um": [[2.0, 1.0, 1.0]]}


def stack_of(grey: np.ndarray, folder: Path, um: float | None = None) -> Stack:
    tifffile.imwrite(folder / "s.tif", grey, photometric="minisblack")
    return open_stack(folder / "s.tif", um)


def judged(guard: Guard, stack: Stack) -> dict[str, Any]:
    found = guard.judge(stack, grey_window(stack))
    assert found is not None
    return found


def test_a_further_scan_is_like_them(record: Record, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    grey = blobs(12, (140, 150), seed=50)[0]
    with caplog.at_level(logging.INFO, "guard"):
        # gain and offset change nothing that a network sees
        found = judged(Guard("refuse", [record]), stack_of(grey // 2 + 7000, tmp_path, 1.0))
    assert found["verdict"] == "like" and 0 < found["distance"] <= 1
    (said,) = caplog.records
    assert said.levelno == logging.INFO and said.message == found["sentence"]
    for row in found["figures"].values():
        assert row["in_range"] and row["allowed"][0] <= row["value"] <= row["allowed"][1]


def worse(name: str) -> np.ndarray:
    grey = blobs(12, (140, 150), seed=50)[0].astype(np.float32)
    made = {
        "noise": grey + np.random.default_rng(0).normal(0, 6000, grey.shape),
        "sharpness": ndimage.gaussian_filter(grey, (0, 1, 1)),
        "histogram": 65535 - grey,
        "structure_16": grey + 12_000 * np.kron(np.indices((18, 19)).sum(0) % 2, np.ones((8, 8)))[:140, :150],
        "saturated": np.minimum(grey, 40_000),
    }[name]
    return np.asarray(made).clip(0, 65535).astype(np.uint16)


@pytest.mark.parametrize("name", ["noise", "sharpness", "histogram", "structure_16", "saturated"])
def test_what_is_unlike_them_is_named(
    record: Record, name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stack = stack_of(worse(name), tmp_path)
    found = judged(Guard("warn", [record]), stack)
    assert found["verdict"] == "unlike" and found["distance"] > 1 and not found["figures"][name]["in_range"]
    (said,) = caplog.records
    assert said.levelno == logging.WARNING and "label a few slices of this scan and train on them" in said.message
    row = found["figures"][found["furthest"]]
    assert row["distance"] == max(one["distance"] for one in found["figures"].values()) and "allowed is" in said.message
    with pytest.raises(BadInput, match=r"s\.tif: looks unlike .* allowed is .*; .* or give --guard warn$"):
        Guard("refuse", [record]).judge(stack, grey_window(stack))


def test_the_voxel_size_counts_where_both_are_known(record: Record, tmp_path: Path) -> None:
    grey = blobs(12, (140, 150), seed=50)[0]
    found = judged(Guard("warn", [record]), stack_of(grey, tmp_path, 2.0))
    assert found["furthest"] == "voxel_size" and found["figures"]["voxel_size"]["allowed"] == pytest.approx(
        [1 / 1.1, 1.1]
    )
    assert "voxel_size" not in judged(Guard("warn", [record]), stack_of(grey, tmp_path))["figures"]


def test_a_training_of_few_scans_says_so(make_labelled_set: MakeSet, tmp_path: Path) -> None:
    few = {"guard": reference_of(labelled_slices(make_labelled_set(stacks=(12,))))}
    found = judged(Guard("warn", [few]), stack_of(blobs(12, (140, 150))[0], tmp_path))
    assert (found["verdict"], found["spread_among"]) == ("like", "slices")
    found = judged(Guard("warn", [few]), stack_of(worse("noise"), tmp_path))
    assert found["verdict"] == "unlike" and "(slices of few scans, which tell little of others)" in found["sentence"]


def test_of_members_the_one_that_is_furthest_counts(record: Record, tmp_path: Path) -> None:
    stack = stack_of(blobs(12, (140, 150), seed=50)[0], tmp_path, 1.0)
    other = record | {"voxel_size_um": [[3.0, 3.0, 3.0]]}
    assert judged(Guard("warn", [record, {}]), stack)["verdict"] == "like"
    assert judged(Guard("warn", [record, other]), stack)["verdict"] == "unlike"


def test_without_a_reference_it_cannot_judge(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    stack = stack_of(blobs(2, (64, 64))[0], tmp_path)
    found = judged(Guard("warn", [{"patch_size": 128}]), stack)
    assert set(found) == {"verdict", "sentence"} and found["verdict"] == "cannot judge" and not caplog.records
    with pytest.raises(BadInput, match=r"cannot be judged.*train anew.*give --guard warn$"):
        Guard("refuse").judge(stack, grey_window(stack))


def test_nothing_is_read_where_nothing_is_asked(
    record: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = stack_of(worse("noise"), tmp_path)
    window = grey_window(stack)
    read: list[int] = []
    reading = type(stack).read

    def noted(self: Stack, start: int, stop: int) -> np.ndarray:
        read.append(start)
        return reading(self, start, stop)

    monkeypatch.setattr(type(stack), "read", noted)
    assert Guard("off", [record]).judge(stack, window) is None
    assert Guard("warn", [record]).judge(stack, window, speaks=False) is None and read == []
    with pytest.raises(BadInput):  # each of several processes by itself, so that none goes on
        Guard("refuse", [record]).judge(stack, window, speaks=False)
    assert read == [1, 4, 7, 10]

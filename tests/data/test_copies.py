"""Slices that are there twice."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from conftest import write_labelled_set

from custom.data import split_dataset


@pytest.mark.parametrize("seed", range(4))
def test_copies_lie_on_the_side_of_their_originals(seed: int, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = write_labelled_set(tmp_path, stacks=(12,), size=(40, 50))
    for part in ("images", "labels"):
        shutil.copy(folder / part / "stack_0.tif", folder / part / "again.tif")
    split = split_dataset(folder, seed=seed)
    sides = {side: [(item["stem"], item["z"]) for item in part] for side, part in split.items()}
    assert sum(map(len, sides.values())) == 24 and all(sides.values())
    for part in sides.values():
        assert {z for stem, z in part if stem == "again"} == {z for stem, z in part if stem == "stack_0"}
    assert "12 slices hold the same grey values as another one (stack_0, slice 0 as again, slice 0)" in caplog.text

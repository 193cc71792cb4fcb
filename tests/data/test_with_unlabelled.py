"""Unlabelled patches beside labelled ones: the same whatever came before, and in bounded memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cli
import numpy as np
import pytest
import tifffile
import torch
from conftest import blobs

from custom.data import WithUnlabelled, slice_pool, split_dataset, unlabelled_slices
from custom.data.slice_pool import SlicePool

SCANS = ("scan", "unlabelled_scan")
SCALING = {"percentiles": (0.5, 99.5), "fixed": None}


def made(folder: Path, stack: Path, most: int = 64) -> WithUnlabelled:
    parser = cli.parser_of("train", "semi")
    parser["dataset_dir"], parser["patches_per_epoch"] = str(folder), 12
    labelled = parser.get_parsed_content("train#dataset")
    transform = parser.get_parsed_content("train#dataloader#dataset#transform")
    rest = unlabelled_slices(str(stack), split_dataset(folder, 0), str(folder), SCALING)
    return WithUnlabelled(labelled, rest, transform, most)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nine slices whose corners a reconstruction left black."""
    grey, _ = blobs(9, (150, 150), seed=30)
    y, x = np.ogrid[:150, :150]
    grey[:, np.hypot(y - 74.5, x - 74.5) > 75] = 0
    path = tmp_path_factory.mktemp("stack") / "round.tif"
    tifffile.imwrite(path, grey, photometric="minisblack")
    return path


def test_a_patch_depends_on_seed_epoch_and_index_alone(labelled_set: Path, stack: Path) -> None:
    patches, again = made(labelled_set, stack, most=4), made(labelled_set, stack, most=4)
    for epoch in (1, 2, 3):
        patches.set_epoch(epoch)
        found = [patches[i] for i in range(12)]
    again.set_epoch(3)
    for i in reversed(range(12)):
        item = again[i]
        assert all(torch.equal(torch.as_tensor(item[key]), torch.as_tensor(found[i][key])) for key in item)
    assert len({item["unlabelled_image"].numpy().tobytes() for item in found}) == 12


def test_the_strong_view_is_of_the_same_place_and_outside_is_not_learned(labelled_set: Path, stack: Path) -> None:
    patches = made(labelled_set, stack)
    patches.set_epoch(1)
    every = [patches[i] for i in range(12)]
    assert set(every[0]) == {"image", "label", "unlabelled_image", "unlabelled_strong", "unlabelled_label", *SCANS}
    outside = torch.cat([item["unlabelled_label"] == 255 for item in every])
    assert 0 < int(outside.sum()) and {int(v) for v in torch.cat([i["unlabelled_label"] for i in every]).unique()} == {
        0,
        255,
    }
    assert {item["unlabelled_scan"] for item in every}.isdisjoint({item["scan"] for item in every})
    for item in every:
        weak, strong = (item[f"unlabelled_{key}"].flatten().double() for key in ("image", "strong"))
        assert weak.shape == (128 * 128,) and torch.corrcoef(torch.stack([weak, strong]))[0, 1] > 0.5
    assert any(not torch.equal(item["unlabelled_image"], item["unlabelled_strong"]) for item in every)


def test_memory_is_bounded_and_every_slice_comes_up(monkeypatch: pytest.MonkeyPatch) -> None:
    items: list[dict[str, Any]] = [{"size": (10, 10), "z": z} for z in range(23)]
    read: list[int] = []

    def prepare(item: dict[str, Any]) -> int:
        read.append(item["z"])
        return int(item["z"])

    pool = SlicePool(items, prepare, most=8, seed=1)
    seen: set[int] = set()
    for epoch in range(1, 13):
        pool.fill(epoch)
        assert sorted(pool.ready) == sorted(pool.of_epoch(epoch)) and len(pool.ready) == 8
        assert all(pool.ready[number] == items[number]["z"] for number in pool.ready)
        seen |= set(pool.ready)
    assert seen == set(range(23)) and len(read) == 8 + 11 * 2  # a quarter is exchanged
    monkeypatch.setattr(slice_pool, "MOST_BYTES", 3 * 500)
    assert SlicePool(items, prepare, most=8, seed=1).size == 3


def test_few_slices_stay_in_memory() -> None:
    read: list[int] = []
    items: list[dict[str, Any]] = [{"size": (10, 10), "z": z} for z in range(5)]
    pool = SlicePool(items, lambda item: read.append(item["z"]), most=8, seed=1)
    for epoch in range(1, 9):
        pool.fill(epoch)
    assert sorted(read) == list(range(5))

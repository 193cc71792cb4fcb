"""A few labelled slices, or parts of slices, in long stacks: what is not labelled takes part nowhere."""

from __future__ import annotations

import logging
from collections import Counter
from pathlib import Path
from typing import Any

import cli
import numpy as np
import pytest
import tifffile
from monai.transforms import Compose

from custom.base.errors import BadInput
from custom.data import PatchDataset, SliceDataset, expand_slices, labelled_slices, split_dataset
from custom.stack import Stack
from custom.stack.labels import LabelStack

LABELLED = range(2, 60, 5)  # 12 of 60


@pytest.fixture(scope="module")
def sparse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 slices, of which every fifth is labelled in a corner of 30 x 40; lithium in a part of it."""
    root = tmp_path_factory.mktemp("sparse")
    rng = np.random.default_rng(0)
    label = np.full((60, 200, 210), 255, np.uint8)
    label[LABELLED, :30, :40] = 0
    label[LABELLED, 10:14, 5:20] = 1
    for part, volume in (("images", rng.integers(0, 60_000, label.shape, np.uint16)), ("labels", label)):
        (root / part).mkdir()
        tifffile.imwrite(root / part / "a.tif", volume, photometric="minisblack")
    return root


@pytest.fixture(scope="module")
def chain() -> Compose:
    transform = cli.parser_of("train").get_parsed_content("train#preprocessing")
    assert isinstance(transform, Compose)
    return transform


def labelled_only_at(planes: dict[int, Any], root: Path) -> Path:
    """A set of 20 slices of 8 x 9 whose label is 255 but for these planes."""
    label = np.full((20, 8, 9), 255, np.uint8)
    for z, plane in planes.items():
        label[z] = plane
    for part, volume in (("images", np.arange(label.size, dtype=np.float32).reshape(label.shape)), ("labels", label)):
        (root / part).mkdir()
        tifffile.imwrite(root / part / "a.tif", volume, photometric="minisblack")
    return root


def test_only_labelled_slices_are_items(sparse: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        items = labelled_slices(sparse)
    assert [item["z"] for item in items] == list(LABELLED)
    assert {item["lithium"] for item in items} == {60}
    assert f"{sparse / 'labels'}: 12 of 60 slices hold labelled voxels" in caplog.text


def test_every_label_slice_is_read_once(sparse: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: Counter[tuple[str, int]] = Counter()
    plain = Stack.read

    def counted(self: Stack, start: int, stop: int) -> np.ndarray:
        assert stop == start + 1  # never more than a slice in memory
        read[self.path.parent.name, start] += not isinstance(self, LabelStack)  # which reads through another one
        return plain(self, start, stop)

    monkeypatch.setattr(Stack, "read", counted)
    labelled_slices(sparse)
    assert {place: count for place, count in read.items() if place[0] == "labels"} == {
        ("labels", z): 1 for z in range(60)
    }


@pytest.mark.parametrize("seed", range(10))
def test_ten_seeds(seed: int, sparse: Path, chain: Compose) -> None:
    split = split_dataset(sparse, seed)
    assert sorted(item["z"] for side in split.values() for item in side) == list(LABELLED)
    assert {side: len(items) >= 1 for side, items in split.items()} == {"train": True, "val": True, "test": True}
    assert len(split["train"]) >= 8
    patches = PatchDataset(split["train"], chain, patches_per_epoch=24, seed=seed)
    for i in range(24):
        label = patches[i][0]["label"]
        assert label.shape == (1, 128, 128) and (label != 255).any()


def test_a_training_to_its_end(sparse: Path, tmp_path: Path) -> None:
    options = {"max_epochs": 2, "patches_per_epoch": 4, "max_minutes": 0, "precision": "fp32", "seed": 1}
    outcome = cli.train(sparse, tmp_path, network_def=cli.TINY, **options)
    assert outcome.code == 0, outcome.error
    assert (tmp_path / "model.pt").exists()


def test_paths_alone_give_labelled_slices_too(sparse: Path) -> None:
    pair = {part[:-1]: str(sparse / part / "a.tif") for part in ("images", "labels")}
    assert [item["z"] for item in expand_slices([pair])] == list(LABELLED)
    assert {item["lithium"] for item in expand_slices([pair])} == {60}
    assert len(SliceDataset([{"image": pair["image"]}], Compose([]))) == 60


def test_one_labelled_slice(tmp_path: Path) -> None:
    root = labelled_only_at({7: 1}, tmp_path)
    with pytest.raises(BadInput, match="no labelled voxel is background, all 72 are lithium"):
        labelled_slices(root)
    labels = tifffile.imread(root / "labels/a.tif")
    labels[7, :2] = 0
    tifffile.imwrite(root / "labels/a.tif", labels, photometric="minisblack")
    assert [(item["z"], item["lithium"]) for item in labelled_slices(root)] == [(7, 54)]
    with pytest.raises(BadInput, match="one labelled slice cannot be split"):
        split_dataset(root)


@pytest.mark.parametrize("fill", [0.0, np.nan])
def test_a_labelled_slice_of_a_dropped_frame_takes_part_nowhere(
    fill: float, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = labelled_only_at({3: 1, 4: 0, 9: 1, 12: 0}, tmp_path)
    image = tifffile.imread(root / "images/a.tif").astype(np.float32) + 1
    image[[4, 9]] = fill
    tifffile.imwrite(root / "images/a.tif", image, photometric="minisblack")
    assert [item["z"] for item in labelled_slices(root)] == [3, 12]
    assert "2 labelled slices have no labelled voxel within the reconstruction" in caplog.text


def test_nothing_is_labelled(tmp_path: Path, chain: Compose) -> None:
    root = labelled_only_at({}, tmp_path)
    with pytest.raises(BadInput, match=r"labels: no voxel is labelled in any of the 20 slices, all are 255"):
        labelled_slices(root)
    pair = {"image": str(root / "images/a.tif"), "label": str(root / "labels/a.tif")}
    with pytest.raises(BadInput, match="no labelled voxel"):
        PatchDataset([pair], chain, patches_per_epoch=4)


def test_a_stack_without_labels_beside_one_with_some(tmp_path: Path) -> None:
    """Its window is not asked for: without contrast it would be refused."""
    root = labelled_only_at({3: 1, 4: 0}, tmp_path)
    for part, value in (("images", 7), ("labels", 255)):
        tifffile.imwrite(root / part / "b.tif", np.full((5, 8, 9), value, np.uint8), photometric="minisblack")
    assert [(item["stem"], item["z"]) for item in labelled_slices(root)] == [("a", 3), ("a", 4)]
    (root / "splits.json").write_text('{"train": ["a"], "val": ["b"]}')
    with pytest.raises(BadInput, match="no voxel is labelled .* in any of the 1 files that it lists under 'val'"):
        split_dataset(root)


@pytest.mark.parametrize("lithium", [1, 255])
def test_zeros_where_nobody_labelled(lithium: int, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """As Fiji leaves slices that nobody drew in: they cannot be known from background, so that is said."""
    plane = np.zeros((8, 9), np.uint8)
    plane[2:4, 3] = lithium
    items = labelled_slices(labelled_only_at({z: plane if z % 5 == 2 else 0 for z in range(20)}, tmp_path))
    assert sum(bool(item["lithium"]) for item in items) == 4 and len(items) == 20
    assert "labels: 4 of 20 slices hold lithium, each of them alone between slices that are 0 all over" in caplog.text
    assert ("write lithium as 1 and 255 into those" in caplog.text) == (lithium == 255)


@pytest.mark.parametrize(
    "rich", [range(7, 12), (2, 3, 12, 17), (2, 12), range(0, 20, 2)], ids=["one run", "a pair", "two", "every other"]
)
def test_lithium_as_it_may_well_be(rich: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    labelled_slices(labelled_only_at({z: np.eye(8, 9) if z in rich else 0 for z in range(20)}, tmp_path))
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]

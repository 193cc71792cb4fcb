"""Several classes in a labelled data set: read, counted, split and drawn from."""

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
from custom.data import PatchDataset, Reading, SliceDataset, labelled_slices, split_dataset, thin
from custom.data.shares import centre_shares
from custom.data.split import split_by_blocks
from custom.transforms import CandidateCentresd, LoadStackd, crop_to_patch

NAMES = ["pit", "dendrite", "impurity"]
DATA = cli.SHARED


def written(folder: Path, label: np.ndarray, labels: str = "labels") -> Path:
    grey = np.random.default_rng(0).integers(0, 60_000, label.shape).astype(np.uint16)
    for part, voxels in (("images", grey), (labels, label)):
        (folder / part).mkdir(parents=True, exist_ok=True)
        tifffile.imwrite(folder / part / "a.tif", voxels, photometric="minisblack")
    return folder


def label_of(slices: int = 12, rare: tuple[int, ...] = (3,)) -> np.ndarray:
    """1 and 2 in every slice, 3 in rare ones, some of it unlabelled."""
    label = np.random.default_rng(1).choice([0, 1, 2, 255], (slices, 20, 22)).astype(np.uint8)
    for z in rare:
        label[z, :4, :4] = 3
    return label


def refusal(folder: Path, **reading: Any) -> str:
    with pytest.raises(BadInput) as refused:
        split_dataset(folder, reading=Reading(classes=NAMES, **reading))
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_labels_are_the_numbers_of_the_classes(tmp_path: Path) -> None:
    label = label_of()
    items = labelled_slices(written(tmp_path, label), reading=Reading(classes=NAMES))
    for item, plane in zip(items, label, strict=True):
        assert item["classes"] == tuple((plane == value).sum() for value in (1, 2, 3))
        assert item["lithium"] == ((plane > 0) & (plane < 255)).sum()
    loaded = SliceDataset(items, Compose([LoadStackd(keys=["image", "label"])]), classes=3)
    np.testing.assert_array_equal(np.concatenate([item["label"] for item in loaded]), label)
    named = [{"image": str(tmp_path / "images/a.tif"), "label": str(tmp_path / "labels/a.tif")}]  # as a client does
    by_client = SliceDataset(named, Compose([LoadStackd(keys=["image", "label"])]), classes=3)
    assert [item["classes"] for item in by_client.data] == [item["classes"] for item in items]


def test_a_tools_values_and_a_folder_of_another_name(tmp_path: Path) -> None:
    label = label_of()
    tool = np.array([9, 40, 70, 0], np.uint16)[np.where(label == 255, 0, label)]
    label_map = {"40": "pit", "70": "dendrite", "0": "impurity", "9": "background"}
    items = labelled_slices(
        written(tmp_path, tool, "tool"), reading=Reading(classes=NAMES, label_map=label_map, label_folder="tool")
    )
    assert items[3]["classes"] == tuple((np.where(label == 255, 0, label)[3] == value).sum() for value in (1, 2, 3))


def test_what_the_labels_cannot_be(tmp_path: Path) -> None:
    label = label_of()
    label[5, 0, 0] = 7
    told = refusal(written(tmp_path, label))
    assert (
        "holds the value 7 in slice 5; labels of 3 classes are 0 (background), 1 to 3 in the order of --classes" in told
    )
    assert "a --label_map that lists each value and, for this one, '7': 255 or the class that it stands for" in told
    every = {"1": "pit", "2": "dendrite", "3": "impurity", "255": 255}
    assert "for this one, '7': 255" in refusal(tmp_path, label_map=every)
    label[0, 0, 0] = 90
    other = every | {"90": "pit"}
    assert 'add "7": 255 to it' in refusal(written(tmp_path, label), label_map=other)
    assert labelled_slices(tmp_path, reading=Reading(classes=NAMES, label_map=other | {"7": 255}))
    with pytest.raises(BadInput, match="--label_255 lithium: says nothing where several classes"):
        Reading(classes=NAMES, label_255="lithium")
    for folder in ("images", "", 3):
        with pytest.raises(BadInput, match="--label_folder .* is no folder of labels"):
            Reading(label_folder=folder)  # type: ignore[arg-type]


def test_a_folder_of_labels_that_is_not_there(tmp_path: Path) -> None:
    told = refusal(written(tmp_path, label_of(), "tool"), label_folder="classes")
    assert told.endswith("the one beside images/ that holds them (there are tool)")


def test_a_class_without_a_voxel_in_training(tmp_path: Path) -> None:
    told = refusal(written(tmp_path, label_of(rare=())))
    assert "0 of the 10 training slices, and 0 of all 12 labelled ones, hold the class impurity" in told
    assert told.endswith("label some, or leave the class out of --classes")
    (tmp_path / "splits.json").write_text('{"train": ["a"], "val": ["b"]}')
    for part in ("images", "labels"):
        (tmp_path / part / "a.tif").rename(tmp_path / part / "b.tif")
    written(tmp_path, label_of(rare=()))
    tifffile.imwrite(tmp_path / "labels/b.tif", label_of(rare=(1, 2)), photometric="minisblack")
    tifffile.imwrite(tmp_path / "images/b.tif", np.random.default_rng(3).integers(0, 99, (12, 20, 22)).astype("u2"))
    told = refusal(tmp_path)
    assert "0 of the 12 training slices, and 2 of all 24 labelled ones, hold the class impurity" in told
    assert "list one of the 2 slices of the other sides that hold it under train" in told


@pytest.mark.parametrize("seed", range(5))
def test_every_side_holds_every_class_where_that_can_be(seed: int) -> None:
    rare = {3, 17, 44}
    items = [{"stem": "a", "z": z, "lithium": 9, "classes": (5, 3, int(z in rare))} for z in range(50)]
    split = split_by_blocks(items, seed, classes=3)
    assert all(any(item["classes"][2] for item in side) for side in split.values())
    assert sorted(item["z"] for side in split.values() for item in side) == list(range(50))


def test_a_side_without_a_class_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        split = split_dataset(written(tmp_path, label_of()), reading=Reading(classes=NAMES))
    assert any(item["classes"][2] for item in split["train"])
    assert sum("slices holds impurity, whose patches" in entry.getMessage() for entry in caplog.records) == 2


def test_the_rare_class_has_its_share_of_the_patches(tmp_path: Path) -> None:
    """Its slices are one in twelve, its voxels one in 100,000; a centre is drawn as the data set and the crop draw it."""
    label = np.zeros((12, 64, 64), np.uint8)
    label[:, 8:40, 8:40], label[:, 44:60, 44:60], label[3, 2, 2] = 1, 2, 3
    items = labelled_slices(written(tmp_path, label), reading=Reading(classes=NAMES))
    crop = crop_to_patch(["image", "label"], "label", (1, 1), 3, 1, classes=3)
    chain = Compose([LoadStackd(keys=["image", "label"]), CandidateCentresd("label", classes=3), crop])
    patches = PatchDataset(items, chain, patches_per_epoch=2000, seed=0, classes=3)
    of_slice = Counter(int(i) for i in patches.order)
    assert of_slice[3] > 300 and max(n for z, n in of_slice.items() if z != 3) < 180
    found = Counter(int(patches[i][0]["label"]) for i in range(0, 2000, 2))
    assert 180 < found[0] < 320 and 200 < found[1] < 340 and 200 < found[2] < 340 and found[3] > 130


def test_data_sets_over_one_chain_have_shares_of_their_own(tmp_path: Path) -> None:
    crop = crop_to_patch(["image", "label"], "label", (1, 1), 3, 1, classes=3)
    chain = Compose([LoadStackd(keys=["image", "label"]), CandidateCentresd("label", classes=3), crop])
    before = list(crop.cropper.ratios)  # type: ignore[attr-defined]
    ratios = []
    for name, slices in (("rare", [3]), ("often", range(12))):
        label = np.zeros((12, 64, 64), np.uint8)
        label[:, 8:40, 8:40], label[:, 44:60, 44:60], label[slices, 2, 2] = 1, 2, 3
        items = labelled_slices(written(tmp_path / name, label), reading=Reading(classes=NAMES))
        patches = PatchDataset(items, chain, patches_per_epoch=4, classes=3)
        ratios.append((patches, centre_shares(items, 3, 0.25)))
    assert ratios[0][1] != ratios[1][1]
    for patches, shares in ratios:
        for transform in (patches.transform, patches.slices.transform):
            assert transform.transforms[-1].cropper.ratios == shares  # type: ignore[attr-defined]
    assert crop.cropper.ratios == before  # type: ignore[attr-defined]


def test_an_epoch_of_fewer_patches_than_classes(tmp_path: Path) -> None:
    """Every class has its turn within as many epochs as there are classes."""
    label = np.zeros((4, 16, 16), np.uint8)
    for value in (1, 2, 3):
        label[value, 4:8, 4:8] = value
    chain = Compose([LoadStackd(keys=["image", "label"])])
    items = labelled_slices(written(tmp_path, label), reading=Reading(classes=NAMES))
    patches = PatchDataset(items, chain, patches_per_epoch=1, classes=3)
    rich = []
    for epoch in (1, 2, 3):
        patches.set_epoch(epoch)
        assert len(patches.order) == 2
        rich += [int(i) for i in patches.order]
    assert {1, 2, 3} <= set(rich)


def test_shares_of_classes_that_are_everywhere_are_even() -> None:
    items = [{"lithium": 9, "classes": (5, 3, 1)} for _ in range(8)]
    np.testing.assert_allclose(centre_shares(items, 3), [0.25, 0.25, 0.25, 0.25])
    np.testing.assert_allclose(centre_shares(items, 3, 0.1), [0.1, 0.3, 0.3, 0.3])
    np.testing.assert_allclose(centre_shares([{"lithium": 4, "classes": (4, 0, 0)}], 3), [0.25, 0.75, 0, 0])


def test_slices_for_validation_show_every_class() -> None:
    items = [{"z": z, "classes": (9, int(z == 33), 2 * (z == 35))} for z in range(100)]
    picked = thin(items, 8)
    assert len(picked) == 8 and {33, 35} <= {item["z"] for item in picked}


@pytest.mark.skipif(not (DATA / "nmc").is_dir(), reason="../shared/data/nmc is not here")
def test_a_real_scan_of_three_classes() -> None:
    """All voxels are of a class, 0 in the files is one, and scans of another grey scale have windows of their own."""
    label_map = {"0": "active", "1": "binder", "2": "pore"}
    split = split_dataset(DATA / "nmc", reading=Reading(classes=list(label_map.values()), label_map=label_map))
    sizes = {side: len(items) for side, items in split.items()}
    assert sizes["train"] and sizes["val"] == 3 and sizes["test"] > 4
    voxels = {item["stem"]: sum(item["classes"]) for side in split.values() for item in side}
    images = {path.stem: tifffile.imread(path).size for path in (DATA / "nmc/images").glob("*.tif*")}
    assert voxels.items() <= images.items()
    assert len({item["grey_window"] for items in split.values() for item in items}) > 1

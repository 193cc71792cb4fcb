"""What the values of a labelling tool stand for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from monai.data import DataLoader

from custom.base.errors import BadInput
from custom.data import Reading, SliceDataset, labelled_slices
from custom.data.label_map import label_values
from custom.transforms import LoadStackd

GREY = np.random.default_rng(0).integers(0, 60_000, (3, 9, 11)).astype(np.uint16)
TOOL = np.random.default_rng(1).choice([0, 1, 4, 7, 300], GREY.shape).astype(np.uint16)
MAP = {"1": "lithium", "4": "background", "7": 255, "300": "lithium"}
MEANT = np.select([TOOL == 7, (TOOL == 1) | (TOOL == 300)], [255, 1], 0).astype(np.uint8)


def written(folder: Path, label: np.ndarray) -> Path:
    for part, voxels in (("images", GREY), ("labels", label)):
        (folder / part).mkdir()
        tifffile.imwrite(folder / part / "a.tif", voxels, photometric="minisblack")
    return folder


def refusal(folder: Path, **reading: Any) -> str:
    with pytest.raises(BadInput) as refused:
        labelled_slices(folder, reading=Reading(**reading))
    assert "\n" not in str(refused.value)
    return str(refused.value)


@pytest.mark.parametrize("dtype", [np.uint16, np.int32, np.float32])
def test_the_values_of_a_tool(tmp_path: Path, dtype: type) -> None:
    items = labelled_slices(written(tmp_path, TOOL.astype(dtype)), reading=Reading(label_map=MAP))
    assert [item["lithium"] for item in items] == (MEANT == 1).sum(axis=(1, 2)).tolist()
    batches = list(DataLoader(SliceDataset(items, LoadStackd(keys=["image", "label"])), batch_size=2))  # collated
    np.testing.assert_array_equal(np.concatenate([batch["label"].numpy()[:, 0] for batch in batches]), MEANT)


@pytest.mark.parametrize("label_map", [{"255": "lithium"}, {255: "lithium", "_desc_": "ImageJ"}])
def test_masks_of_0_and_255(tmp_path: Path, label_map: dict[Any, Any], caplog: pytest.LogCaptureFixture) -> None:
    """All of a slice may be 255, which nothing but the map could tell from a slice without labels."""
    mask = (MEANT == 1).astype(np.uint8) * 255
    mask[1] = 255
    items = labelled_slices(written(tmp_path, mask), reading=Reading(label_map=label_map))
    assert [item["lithium"] for item in items] == (mask > 0).sum(axis=(1, 2)).tolist() and not caplog.messages


def test_what_is_not_listed_is_refused_until_it_is(tmp_path: Path) -> None:
    folder = written(tmp_path, TOOL)
    some = {"1": "lithium", "7": 255}
    fours, many = ((TOOL[0] == value).sum() for value in (4, 300))
    assert refusal(folder, label_map=some) == (
        f"{folder}/labels/a.tif: holds 4 ({fours} voxels) and 300 ({many} voxels) in slice 0, which --label_map does not "
        'list; add "4": 255, "300": 255 to it, with the name of a class in place of 255 (unlabelled) where it is one'
    )
    items = labelled_slices(folder, reading=Reading(label_map=some | {"4": 255, "300": 255}))
    assert [item["lithium"] for item in items] == (TOOL == 1).sum(axis=(1, 2)).tolist()
    assert "no voxel of the 3 slices is lithium by --label_map" in refusal(
        folder, label_map=MAP | {"1": 255, "300": 255}
    )
    assert "is lithium by" in refusal(folder, label_map=dict.fromkeys(MAP, 255) | {"0": 255})


@pytest.mark.parametrize("dtype", [np.int16, np.float32])
def test_what_nobody_labelled_may_be_negative(tmp_path: Path, dtype: type) -> None:
    folder = written(tmp_path, np.where(TOOL == 300, -1, TOOL.astype(int)).astype(dtype))
    assert 'add "-1": 255 to it' in refusal(folder, label_map=MAP)
    items = labelled_slices(folder, reading=Reading(label_map=MAP | {"-1": 255}))
    assert [item["lithium"] for item in items] == (TOOL == 1).sum(axis=(1, 2)).tolist()


@pytest.mark.parametrize("value", [-40_000, 70_000, 2.5, np.nan])
def test_what_no_map_can_list(tmp_path: Path, value: float) -> None:
    label = TOOL.astype(np.float32)
    label[1, 2, 3] = value
    said = refusal(written(tmp_path, label), label_map=MAP)
    assert (
        "slice 1" in said and ("1 voxels of slice 1 are NaN" if np.isnan(value) else f"holds {value} (1 voxel)") in said
    )
    assert "add " not in said


def test_a_set_without_background_teaches_nothing(tmp_path: Path) -> None:
    said = refusal(written(tmp_path, TOOL), label_map=dict.fromkeys(MAP, "lithium") | {"0": "lithium"})
    assert f"no labelled voxel is background, all {TOOL.size} are lithium; label some background with 0" in said


def test_several_classes_in_their_order() -> None:
    found = label_values({"4": "pit", "1": "dendrite", "9": "pit", "7": "unlabelled"}, ["dendrite", "pit"])
    assert found == ((0, 0), (1, 1), (4, 2), (7, 255), (9, 2))
    assert label_values({"0": 255, "01": "lithium", "1.0": "lithium"}, ["lithium"]) == ((0, 255), (1, 1))


@pytest.mark.parametrize(
    ("label_map", "said"),
    [
        ({}, "--label_map {}: lists no value"),
        ({"_desc_": "later"}, "lists no value"),
        ("lithium", "--label_map lithium: is no mapping of the values"),
        ([1, 4], "is no mapping"),
        ({"1": "lithium", "01": "background"}, 'sends 1 both to lithium ("1") and to background ("01")'),
        ({"1": "lithium", "1.0": 255}, 'to unlabelled ("1.0")'),
        ({1: "lithium", "1": 255}, "holds 1 as a number and as a text, with two classes"),
        ({"1": "pit"}, '"1": \'pit\' is an unknown class; give one of "background", "lithium", "unlabelled" (255)'),
        ({"1": 1}, "1 is an unknown class"),
        ({"1": True}, "True is an unknown class"),
        ({"1": None}, "None is an unknown class"),
        ({"1": ["lithium"]}, "is an unknown class"),
        *(
            ({text: "lithium"}, f'"{text}" is no whole number')
            for text in ("-32769", "1.5", "65536", "pit", "1e2", "", "True")
        ),
    ],
)
def test_maps_that_cannot_be(label_map: Any, said: str) -> None:
    with pytest.raises(BadInput) as refused:
        Reading(label_map=label_map)
    assert said in str(refused.value)


def test_a_map_says_what_255_is() -> None:
    assert Reading(label_map={"255": "lithium"}, label_255="lithium").label_values == ((0, 0), (255, 1))
    for meant, label_map in (("lithium", MAP), ("lithium", {"255": 255}), ("unlabelled", {"255": "lithium"})):
        with pytest.raises(BadInput, match=f"--label_255 {meant}: what 255 is stands in --label_map"):
            Reading(label_map=label_map, label_255=meant)


def test_only_a_map_that_was_given_is_noted() -> None:
    assert Reading(classes=["lithium"]).given() == {}
    assert Reading(label_map={1: "lithium"}).given() == {"label_map": {"1": "lithium"}}

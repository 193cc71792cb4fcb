"""What 255 in the labels of a set stands for."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from custom.base.errors import BadInput
from custom.data import Reading, expand_slices, labelled_slices
from custom.transforms import LoadStackd

GREY = np.random.default_rng(0).integers(0, 60_000, (6, 9, 11)).astype(np.uint16)
MASK = (np.indices(GREY.shape).sum(axis=0) % 5 == 0).astype(np.uint8)  # lithium and background in every slice
EMPTY = np.zeros_like(MASK)
PARTIAL = MASK.copy()
PARTIAL[:, 4:] = 255


def write(folder: Path, **labels: np.ndarray) -> Path:
    """A set of one file for each label, all of the same grey values."""
    for name, label in labels.items():
        for part, voxels in (("images", GREY[: len(label)]), ("labels", label)):
            (folder / part).mkdir(parents=True, exist_ok=True)
            tifffile.imwrite(folder / part / f"{name}.tif", voxels, photometric="minisblack")
    return folder


def learned(folder: Path, **reading: Any) -> dict[str, np.ndarray]:
    """The labels as a training reads them, by file."""
    items = labelled_slices(folder, reading=Reading(**reading))
    load = LoadStackd(keys=["image", "label"])
    read = [(item["stem"], load(item)["label"].numpy()[0], item["lithium"]) for item in items]
    assert all(int((label == 1).sum()) == lithium for _, label, lithium in read)
    return {stem: np.stack([label for name, label, _ in read if name == stem]) for stem, _, _ in read}


def refusal(folder: Path, **reading: Any) -> str:
    with pytest.raises(BadInput) as refused:
        labelled_slices(folder, reading=Reading(**reading))
    assert "\n" not in str(refused.value)
    return str(refused.value)


@pytest.mark.parametrize("label_255", ["auto", "lithium"])
def test_a_set_of_0_and_255_holds_lithium(tmp_path: Path, caplog: pytest.LogCaptureFixture, label_255: str) -> None:
    with caplog.at_level(logging.WARNING):
        found = learned(write(tmp_path, a=MASK * 255, b=EMPTY), label_255=label_255)
    np.testing.assert_array_equal(found["a"], MASK)
    assert not found["b"].any()
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == (label_255 == "auto")
    assert all(f"{int(MASK.sum())} voxels" in sentence for sentence in told)


def test_labelled_in_part(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """255 beside 1 in a slice is unlabelled, and so are slices of 255 alone; neither is worth a word."""
    with caplog.at_level(logging.WARNING):
        found = learned(write(tmp_path, a=PARTIAL, b=MASK, c=np.full_like(MASK, 255)))
    np.testing.assert_array_equal(found["a"], PARTIAL)
    np.testing.assert_array_equal(found["b"], MASK)
    assert "c" not in found  # takes part nowhere
    assert not caplog.records


def test_a_part_without_lithium_beside_parts_with(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    blank = np.where(PARTIAL == 255, 255, 0).astype(np.uint8)
    with caplog.at_level(logging.WARNING):
        found = learned(write(tmp_path, a=PARTIAL, b=blank))
    np.testing.assert_array_equal(found["b"], blank)
    (told,) = caplog.records
    assert "6 slices" in told.getMessage() and "b.tif" in told.getMessage()


@pytest.mark.parametrize("together", [False, True])
def test_0_and_255_beside_0_and_1(tmp_path: Path, together: bool) -> None:
    """As files of one set, and as slices of one stack."""
    if together:
        folder = write(tmp_path, a=np.concatenate([MASK[:3], MASK[3:] * 255]))
        message = refusal(folder)
        assert message.startswith(str(folder / "labels" / "a.tif")) and "slice 3 and in 2 more" in message
    else:
        folder = write(tmp_path, a=MASK[:3], b=MASK[3:] * 255, c=MASK[3:] * 255)
        message = refusal(folder)
        assert message.startswith(str(folder / "labels" / "b.tif")) and "as do 5 more slices (b.tif, c.tif)" in message
    assert "--label_255 lithium" in message and "--label_255 unlabelled" in message
    np.testing.assert_array_equal(np.concatenate(list(learned(folder, label_255="lithium").values()))[:6], MASK)
    unlabelled = np.concatenate(list(learned(folder, label_255="unlabelled").values()))[3:6]
    np.testing.assert_array_equal(unlabelled, MASK[3:] * 255)


BLOB = np.zeros((3, 60, 60), np.uint8)
BLOB[:, 20:50, 10:30] = 1


@pytest.mark.parametrize("where", [[(0, 5, 5)], [(0, 5, 5), (2, 0, 0)]])
def test_a_mask_of_0_and_255_with_strays(
    where: list[tuple[int, int, int]], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    label, lithium = BLOB * 255, BLOB.copy()
    for z, y, x in where:
        label[z, y, x] = lithium[z, y, x] = 1
    (tmp_path / "images").mkdir()
    (tmp_path / "labels").mkdir()
    tifffile.imwrite(
        tmp_path / "images/a.tif", np.random.default_rng(0).random(BLOB.shape, np.float32), photometric="minisblack"
    )
    tifffile.imwrite(tmp_path / "labels/a.tif", label, photometric="minisblack")
    message = refusal(tmp_path)
    assert message.startswith(
        f"{tmp_path / 'labels/a.tif'}: holds 1 in slice 0, and the set has only {len(where)} voxels of 1"
    )
    assert "beside 1800 of 255" in message and "--label_255 lithium" in message and "--label_255 unlabelled" in message
    np.testing.assert_array_equal(learned(tmp_path, label_255="lithium")["a"], lithium)
    assert f"{len(where)} voxels hold 1 and count as lithium" in caplog.messages[-1]
    np.testing.assert_array_equal(learned(tmp_path, label_255="unlabelled")["a"], label)


@pytest.mark.parametrize(
    "labels",
    [{"a": 255 - MASK * 255}, {"a": MASK * 255, "b": np.full_like(MASK, 255)}],
    ids=["most is 255", "whole slices are 255"],
)
def test_what_may_well_be_unlabelled(tmp_path: Path, labels: dict[str, np.ndarray]) -> None:
    folder = write(tmp_path, **labels)
    assert "no voxel is labelled 1" in refusal(folder)
    for name, label in learned(folder, label_255="lithium").items():
        np.testing.assert_array_equal(label, labels[name] // 255)


def test_a_word_that_the_labels_contradict(tmp_path: Path) -> None:
    folder = write(tmp_path, a=PARTIAL)
    message = refusal(folder, label_255="lithium")
    assert message.startswith(str(folder / "labels" / "a.tif")) and "both 1 and 255 in slice 0" in message
    assert "--label_255 dendrite: is unknown" in refusal(folder, label_255="dendrite")
    assert "no voxel is labelled 1" in refusal(write(tmp_path / "b", a=MASK * 255), label_255="unlabelled")


def test_files_that_a_client_hands_over_decide_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = write(tmp_path, a=MASK * 255)
    item = {part: folder / f"{part}s" / "a.tif" for part in ("image", "label")}
    with caplog.at_level(logging.WARNING):
        assert not any(one["lithium"] for one in expand_slices([item]))
    assert "a.tif); their 255 counts as unlabelled" in caplog.messages[0]
    expanded = expand_slices([item | {"lithium_255": True}])
    assert [one["lithium"] for one in expanded] == MASK.sum(axis=(1, 2)).tolist()
    np.testing.assert_array_equal(LoadStackd(keys="label")(expanded[2])["label"].numpy()[0], MASK[2])
    assert len(caplog.messages) == 1

"""What a labelled data set on disk becomes, and what is refused."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import SimpleITK
import tifffile
import zarr

from custom.base.errors import BadInput
from custom.data import labelled_slices, list_pairs, voxel_size_of_stems, voxel_sizes
from custom.stack import open_stack

MakeSet = Callable[..., Path]


@pytest.fixture
def own(labelled_set_2d: Path, tmp_path: Path) -> Path:
    """A copy of the 2-D set that a test may spoil."""
    return Path(shutil.copytree(labelled_set_2d, tmp_path / "own"))


def test_a_stack_becomes_its_slices(labelled_set: Path) -> None:
    items = labelled_slices(labelled_set)
    label = tifffile.imread(labelled_set / "labels" / "stack_0.tif")
    assert [item["z"] for item in items] == list(range(6))
    assert [item["lithium"] for item in items] == (label == 1).sum(axis=(1, 2)).tolist()
    assert {item["stem"] for item in items} == {"stack_0"}
    assert {Path(item["image"]).parent.name for item in items} == {"images"}
    assert {Path(item["label"]).parent.name for item in items} == {"labels"}


def test_every_stack_has_its_own_window(make_labelled_set: MakeSet) -> None:
    root = make_labelled_set(stacks=(3, 4), size=(50, 60))
    items = labelled_slices(root, percentiles=(1, 98))
    for stem in ("stack_0", "stack_1"):
        (found,) = {item["grey_window"] for item in items if item["stem"] == stem}
        volume = tifffile.imread(root / "images" / f"{stem}.tif")
        np.testing.assert_allclose(found, np.percentile(volume, (1, 98)))
    assert len({item["grey_window"] for item in items}) == 2


def test_flat_files_share_one_window(make_labelled_set: MakeSet) -> None:
    root = make_labelled_set(stacks=(12,), size=(50, 60), flat=True)
    items = labelled_slices(root)
    assert [item["stem"] for item in items] == [f"slice_{z}" for z in range(12)]  # 9 before 10
    volume = np.stack([tifffile.imread(path) for path in sorted((root / "images").iterdir())])
    (found,) = {item["grey_window"] for item in items}
    np.testing.assert_allclose(found, np.percentile(volume, (0.5, 99.5)))


def test_the_voxel_sizes_of_the_images(make_labelled_set: MakeSet) -> None:
    root = make_labelled_set(stacks=(3, 4, 3), size=(50, 60))
    for stem, size in (("stack_1", 2.66), ("stack_2", 1.33)):
        volume = tifffile.imread(root / "images" / f"{stem}.tif")
        about = {"spacing": size, "unit": "um", "axes": "ZYX"}
        image = root / "images" / f"{stem}.tif"
        tifffile.imwrite(image, volume, imagej=True, resolution=(1 / size, 1 / size), metadata=about)
    items = labelled_slices(root)
    unknown, coarse, fine = voxel_sizes(items)
    assert voxel_size_of_stems(items) == {"stack_0": unknown, "stack_1": coarse, "stack_2": fine}
    assert unknown is None and coarse == pytest.approx((2.66,) * 3) and fine == pytest.approx((1.33,) * 3)


def test_flat_files_beside_a_stack(labelled_set: Path, own: Path) -> None:
    for part in ("images", "labels"):
        shutil.copy(labelled_set / part / "stack_0.tif", own / part)
    items = labelled_slices(own)
    assert len(items) == 12
    volume = tifffile.imread(labelled_set / "images" / "stack_0.tif")
    np.testing.assert_allclose(items[-1]["grey_window"], np.percentile(volume, (0.5, 99.5)))


def test_fixed_window(labelled_set: Path) -> None:
    assert {item["grey_window"] for item in labelled_slices(labelled_set, fixed=(100, 30_000))} == {(100.0, 30_000.0)}


def test_unlabelled_and_background_are_no_lithium(own: Path) -> None:
    label = np.full((140, 150), 255, np.uint8)
    label[:3, :5] = 1
    label[50:] = 0
    tifffile.imwrite(own / "labels" / "slice_2.tif", label)
    assert labelled_slices(own)[2]["lithium"] == 15


def test_other_files_are_passed_over(own: Path) -> None:
    (own / "images" / ".hidden.tif").write_bytes(b"")
    (own / "images" / "notes").mkdir()
    assert len(list_pairs(own)) == 6


def test_a_header_with_detached_voxels_is_one_file(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for part, values in (("images", rng.random((3, 8, 9))), ("labels", rng.integers(0, 2, (3, 8, 9)))):
        (tmp_path / part).mkdir()
        volume = values.astype(np.float32 if part == "images" else np.uint8)
        SimpleITK.WriteImage(SimpleITK.GetImageFromArray(volume), str(tmp_path / part / "cell.mhd"))
        assert (tmp_path / part / "cell.raw").exists()
    assert [path.name for pair in list_pairs(tmp_path) for path in pair] == ["cell.mhd", "cell.mhd"]
    assert len(labelled_slices(tmp_path)) == 3


def test_a_zarr_folder_is_one_file(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for part, voxels in (("images", rng.random((3, 8, 9))), ("labels", rng.integers(0, 2, (3, 8, 9), np.uint8))):
        zarr.create_array(tmp_path / part / "cell.zarr", data=voxels)
    assert [path.name for pair in list_pairs(tmp_path) for path in pair] == ["cell.zarr", "cell.zarr"]
    assert [item["stem"] for item in labelled_slices(tmp_path)] == ["cell"] * 3


def test_zarrs_leave_out_what_is_empty(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Labels without lithium at one end, and a slice without any, of 32 bits as napari has them."""
    grey = np.random.default_rng(0).integers(1, 60_000, (6, 8, 9)).astype(np.uint16)
    label = np.zeros((6, 8, 9), np.uint32)
    label[:3, 2:5] = 1
    for stem, part in (("a", slice(0, 6)), ("b", 5)):
        zarr.create_array(tmp_path / "images" / f"{stem}.zarr", data=grey[part])
        zarr.create_array(tmp_path / "labels" / f"{stem}.zarr", data=label[part], chunks=(1, 8, 9)[-label[part].ndim :])
    with caplog.at_level(logging.WARNING):
        items = labelled_slices(tmp_path)
    assert [item["lithium"] for item in items] == [27, 27, 27, 0, 0, 0, 0]
    assert ["lacks 3 of the 6" in caplog.messages[0], "lacks 1 of the 1" in caplog.messages[1]] == [True, True]
    with pytest.raises(BadInput, match="half-written"):
        open_stack(tmp_path / "labels" / "a.zarr")  # as grey values it is not taken


def test_warning_of_values_that_are_not_finite(own: Path, caplog: pytest.LogCaptureFixture) -> None:
    grey = np.random.default_rng(0).random((140, 150)).astype(np.float32)
    grey[3, :2], grey[4, 5] = np.nan, -np.inf
    (own / "images" / "slice_1.tif").unlink()
    np.save(own / "images" / "slice_1.npy", grey)
    with caplog.at_level(logging.WARNING):
        labelled_slices(own)
    assert "slice_1.npy: 3 grey values" in caplog.text


def refusal(root: Path) -> str:
    with pytest.raises(BadInput) as caught:
        labelled_slices(root)
    message = str(caught.value)
    assert "\n" not in message
    assert ";" in message  # the fault; the cure
    return message


def test_missing_folders(tmp_path: Path, own: Path) -> None:
    assert f"{tmp_path / 'gone'}: there is no such folder" in refusal(tmp_path / "gone")
    shutil.rmtree(own / "labels")
    assert f"{own / 'labels'}: there is no such folder" in refusal(own)


@pytest.mark.parametrize("part", ["images", "labels"])
def test_empty_folder(own: Path, part: str) -> None:
    for path in (own / part).iterdir():
        path.unlink()
    assert f"{own / part}: the folder is empty" in refusal(own)


@pytest.mark.parametrize(("lost", "words"), [("labels", "this image has no"), ("images", "this label has no")])
def test_without_its_partner(own: Path, lost: str, words: str) -> None:
    for z in range(1, 6):
        (own / lost / f"slice_{z}.tif").unlink()
    kept = "images" if lost == "labels" else "labels"
    message = refusal(own)
    assert message.startswith(f"{own / kept / 'slice_1.tif'}: {words}")  # the first of both, in every process
    assert str(own / lost) in message


def test_two_files_of_one_stem(own: Path) -> None:
    np.save(own / "images" / "slice_1.npy", np.zeros((140, 150)))
    message = refusal(own)
    assert str(own / "images" / "slice_1.tif") in message
    assert "slice_1.npy" in message


def test_another_size(own: Path) -> None:
    tifffile.imwrite(own / "labels" / "slice_5.tif", np.zeros((150, 140), np.uint8))
    message = refusal(own)
    assert message.startswith(str(own / "labels" / "slice_5.tif"))
    assert "1 x 150 x 140" in message
    assert "1 x 140 x 150" in message


@pytest.mark.parametrize("value", [2, 254])
def test_another_label_value(own: Path, value: int) -> None:
    label = np.zeros((140, 150), np.uint8)
    label[3, 4] = value
    tifffile.imwrite(own / "labels" / "slice_0.tif", label)
    message = refusal(own)
    assert message.startswith(str(own / "labels" / "slice_0.tif"))
    assert f"value {value} " in message


@pytest.mark.parametrize("value", [0.5, -1])
def test_label_that_is_no_class(own: Path, value: float) -> None:
    (own / "labels" / "slice_0.tif").unlink()
    np.save(own / "labels" / "slice_0.npy", np.full((140, 150), value, np.float32))
    assert f"value {value:g} " in refusal(own)


def test_no_lithium_at_all(make_labelled_set: MakeSet) -> None:
    root = make_labelled_set(stacks=(3,), size=(20, 30), lithium=[])
    message = refusal(root)
    assert message.startswith(str(root / "labels"))
    assert "3 slices" in message


def test_grey_values_without_contrast(own: Path) -> None:
    for path in (own / "images").iterdir():
        tifffile.imwrite(path, np.full((140, 150), 7, np.uint16))
    assert "no contrast" in refusal(own)

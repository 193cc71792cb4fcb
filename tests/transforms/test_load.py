"""What `LoadStackd` makes of paths, slabs and arrays."""

from __future__ import annotations

import os
from pathlib import Path

import nibabel
import numpy as np
import pytest
import tifffile
import torch

from custom.base.errors import BadInput
from custom.stack import open_stack, slabs
from custom.transforms import LoadStackd

load = LoadStackd(keys="image")


@pytest.fixture(scope="module")
def volume() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 65_536, (5, 7, 9)).astype(np.uint16)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory, volume: np.ndarray) -> Path:
    path = tmp_path_factory.mktemp("stack") / "stack.tif"
    tifffile.imwrite(path, volume, photometric="minisblack")
    return path


def test_one_slice_of_a_file(file: Path, volume: np.ndarray) -> None:
    for z in (4, 0, 2):
        found = load({"image": str(file), "z": z})["image"]
        np.testing.assert_array_equal(found, volume[z : z + 1])


def test_a_whole_file(file: Path, volume: np.ndarray) -> None:
    np.testing.assert_array_equal(load({"image": file})["image"], volume[None])


def test_a_file_of_one_slice(tmp_path: Path, volume: np.ndarray) -> None:
    tifffile.imwrite(tmp_path / "slice.tif", volume[0])
    np.testing.assert_array_equal(load({"image": tmp_path / "slice.tif"})["image"], volume[None, :1])


def test_axes_of_nifti_are_not_those_of_monai(tmp_path: Path, volume: np.ndarray) -> None:
    nibabel.save(nibabel.Nifti1Image(volume.transpose(), np.eye(4)), tmp_path / "stack.nii.gz")
    np.testing.assert_array_equal(load({"image": tmp_path / "stack.nii.gz", "z": 3})["image"], volume[3:4])


def test_slabs(file: Path, volume: np.ndarray) -> None:
    parts = [load({"image": slab})["image"] for slab in slabs(open_stack(file), 2)]
    assert [tuple(part.shape) for part in parts] == [(1, 2, 7, 9), (1, 2, 7, 9), (1, 1, 7, 9)]
    np.testing.assert_array_equal(torch.cat(parts, dim=1), volume[None])


@pytest.mark.parametrize("as_tensor", [False, True])
@pytest.mark.parametrize(
    ("given", "wanted"),
    [((7, 9), (1, 7, 9)), ((5, 7, 9), (1, 5, 7, 9)), ((1, 7, 9), (1, 7, 9)), ((1, 5, 7, 9), (1, 5, 7, 9))],
)
def test_arrays_in_memory(given: tuple[int, ...], wanted: tuple[int, ...], as_tensor: bool) -> None:
    values = np.arange(np.prod(given), dtype=np.float32).reshape(given)
    found = load({"image": torch.from_numpy(values) if as_tensor else values})["image"]
    assert isinstance(found, torch.Tensor)
    assert tuple(found.shape) == wanted
    np.testing.assert_array_equal(found.ravel(), values.ravel())


@pytest.mark.parametrize(
    ("dtype", "wanted"),
    [
        ("uint8", torch.uint8),
        ("int8", torch.int8),
        ("uint16", torch.int32),
        (">u2", torch.int32),
        (">i2", torch.int16),
        ("uint32", torch.int64),
        (">f4", torch.float32),
        ("float16", torch.float32),
        ("float64", torch.float64),
        (">f8", torch.float64),
        ("bool", torch.bool),
    ],
)
def test_types_keep_their_values(dtype: str, wanted: torch.dtype) -> None:
    kind = np.dtype(dtype)
    ends = [0, 1] if kind.kind == "b" else [np.iinfo(kind).min, np.iinfo(kind).max] if kind.kind in "iu" else [-1.5, 3]
    values = np.array([ends, ends[::-1]]).astype(kind)
    found = load({"image": values})["image"]
    assert found.dtype == wanted
    np.testing.assert_array_equal(found[0], values.astype(kind.newbyteorder("=")))


def test_read_only_arrays_are_copied() -> None:
    values = np.zeros((4, 5), np.float32)
    values.flags.writeable = False
    load({"image": values})["image"] += 1
    assert not values.any()


def test_a_file_replaced_under_its_name_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "slice.npy"
    np.save(path, np.zeros((4, 5), np.float32))
    assert load({"image": path, "z": 0})["image"].shape == (1, 4, 5)
    np.save(path, np.ones((6, 7), np.float32))
    os.utime(path, (1, 1))
    found = load({"image": path, "z": 0})["image"]
    assert found.shape == (1, 6, 7)
    assert found.all()


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"gone\.tif"):
        load({"image": tmp_path / "gone.tif", "z": 0})


def test_keys(file: Path) -> None:
    both = LoadStackd(keys=["image", "label"], allow_missing_keys=True)({"image": str(file), "z": 1, "stem": "a"})
    assert set(both) == {"image", "z", "stem"}
    with pytest.raises(KeyError):
        LoadStackd(keys=["image", "label"])({"image": str(file), "z": 1})

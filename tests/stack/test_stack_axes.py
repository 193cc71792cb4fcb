"""--stack_axes: a stack whose axes lie in another order than its file says, in every format."""

from collections.abc import Callable
from itertools import permutations
from pathlib import Path
from typing import Any

import h5py
import nibabel
import nrrd
import numpy as np
import pytest
import SimpleITK as sitk
import tifffile
import zarr
from conftest import refusal

from custom.stack import fingerprint, open_stack
from custom.stack.one_by_one import OneByOne

VOXELS = np.random.default_rng(0).integers(0, 1 << 16, (9, 11, 13), np.uint16)
ORDERS = ["".join(letters) for letters in permutations("zyx")]


def npy(path: Path, stored: np.ndarray) -> Path:
    np.save(path / "s.npy", stored)
    return path / "s.npy"


def columns_first(path: Path, stored: np.ndarray) -> Path:
    return npy(path, np.asfortranarray(stored))


def tiff(path: Path, stored: np.ndarray) -> Path:
    tifffile.imwrite(path / "s.tif", stored, photometric="minisblack")
    return path / "s.tif"


def packed_tiff(path: Path, stored: np.ndarray) -> Path:
    tifffile.imwrite(path / "s.tif", stored, photometric="minisblack", compression="zlib")
    return path / "s.tif"


def folder(path: Path, stored: np.ndarray) -> Path:
    for z, plane in enumerate(stored):
        tifffile.imwrite(path / f"s_{z:03}.tif", plane)
    return path


def hdf5(path: Path, stored: np.ndarray) -> Path:
    with h5py.File(path / "s.h5", "w") as file:
        file.create_dataset("exchange/data", data=stored, chunks=(2, 4, 5))
    return path / "s.h5"


def zarr_3(path: Path, stored: np.ndarray) -> Path:
    zarr.create_array(path / "s.zarr", data=stored, chunks=(3, 4, 5))
    return path / "s.zarr"


def nii(path: Path, stored: np.ndarray) -> Path:
    nibabel.save(nibabel.Nifti1Image(stored.T, np.eye(4), dtype=np.uint16), path / "s.nii")
    return path / "s.nii"


def nii_gz(path: Path, stored: np.ndarray) -> Path:
    nibabel.save(nibabel.Nifti1Image(stored.T, np.eye(4), dtype=np.uint16), path / "s.nii.gz")
    return path / "s.nii.gz"


def nrrd_gzip(path: Path, stored: np.ndarray) -> Path:
    nrrd.write(str(path / "s.nrrd"), stored.T)
    return path / "s.nrrd"


def mha(path: Path, stored: np.ndarray) -> Path:
    sitk.WriteImage(sitk.GetImageFromArray(stored), path / "s.mha")
    return path / "s.mha"


FORMATS = [npy, columns_first, tiff, packed_tiff, folder, hdf5, zarr_3, nii, nii_gz, nrrd_gzip, mha]


@pytest.mark.parametrize("save", FORMATS)
def test_every_format(save: Callable[[Path, np.ndarray], Path], tmp_path: Path) -> None:
    path = save(tmp_path, VOXELS.transpose(1, 2, 0))
    stack = open_stack(path, stack_axes="yxz")
    assert (stack.shape, stack.dtype) == (VOXELS.shape, VOXELS.dtype)
    for start, stop in ((0, 9), (3, 4), (7, 9), (2, 6)):
        read = stack.read(start, stop)
        assert read.flags.c_contiguous
        np.testing.assert_array_equal(read, VOXELS[start:stop])
    assert fingerprint(stack)


@pytest.mark.parametrize("letters", ORDERS)
@pytest.mark.parametrize("save", [npy, packed_tiff, hdf5])
def test_every_order(letters: str, save: Callable[[Path, np.ndarray], Path], tmp_path: Path) -> None:
    path = save(tmp_path, VOXELS.transpose(["zyx".index(axis) for axis in letters]))
    np.testing.assert_array_equal(open_stack(path, stack_axes=letters).read(2, 6), VOXELS[2:6])


@pytest.mark.parametrize("kept", [1 << 20, 1])
def test_slices_that_lie_across_those_of_the_file_are_put_together_in_one_pass(
    kept: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom.stack.planning.KEPT_BYTES", kept)
    monkeypatch.setattr("custom.stack.planning.KEPT_SLICES", 1)
    monkeypatch.setattr("custom.stack.scratch.BOX_BYTES", 900)
    read: list[int] = []
    page = OneByOne._read
    monkeypatch.setattr(OneByOne, "_read", lambda self, *part: (read.extend(range(*part)), page(self, *part))[1])
    across = packed_tiff(tmp_path, VOXELS.transpose(1, 2, 0))
    stack = open_stack(across, stack_axes="yxz", scratch_dir=tmp_path)
    for start in range(0, 9, 2):
        np.testing.assert_array_equal(stack.read(start, min(start + 2, 9)), VOXELS[start : start + 2])
    assert sorted(read) == list(range(VOXELS.shape[1]))


@pytest.mark.parametrize("suffix", [".nii", ".mha", ".nrrd"])
@pytest.mark.parametrize("letters", ORDERS)
def test_sizes_and_places_go_with_their_axes(suffix: str, letters: str, tmp_path: Path) -> None:
    image = sitk.GetImageFromArray(VOXELS)
    image.SetSpacing((0.002, 0.003, 0.005))
    image.SetOrigin((1.0, 2.0, 3.0))
    image.SetDirection((0, 1, 0, 1, 0, 0, 0, 0, -1))
    sitk.WriteImage(image, tmp_path / f"s{suffix}")
    stored, turned = (open_stack(tmp_path / f"s{suffix}", stack_axes=axes) for axes in (None, letters))
    assert stored.voxel_size_um is not None and turned.voxel_size_um is not None
    assert dict(zip("zyx", turned.voxel_size_um, strict=True)) == pytest.approx(
        dict(zip(letters, stored.voxel_size_um, strict=True))
    )
    there = dict(zip(letters, (4, 5, 6), strict=True))
    np.testing.assert_allclose(
        turned.affine @ [there["x"], there["y"], there["z"], 1], stored.affine @ [6, 5, 4, 1], atol=1e-6
    )
    assert turned.read(there["z"], there["z"] + 1)[0, there["y"], there["x"]] == VOXELS[4, 5, 6]


@pytest.mark.parametrize("given", ["YXZ", ["y", "x", "z"], ("y", "x", "z")])
def test_spellings(given: Any, tmp_path: Path) -> None:
    np.testing.assert_array_equal(
        open_stack(npy(tmp_path, VOXELS.transpose(1, 2, 0)), 2.0, stack_axes=given).read(0, 9), VOXELS
    )


@pytest.mark.parametrize("given", ["xy", "zzx", "tzyx", 3, "z-y-x", ""])
def test_no_axes(given: Any, tmp_path: Path) -> None:
    words = (
        f"--stack_axes {given} is not usable; give the letters x, y and z, each once, in the order of the file's axes"
    )
    assert words in refusal(npy(tmp_path, VOXELS), stack_axes=given)

"""A client's volume comes back with the axes and the place that it had, whichever way it was handed over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import SimpleITK
import tifffile
import torch
from monai.data import MetaTensor
from monai.transforms import Compose, CopyItemsd, LoadImage

from custom.stack import open_stack
from custom.transforms import GreyWindowd, LoadStackd, RestoreAxesd

VOLUME = np.random.default_rng(0).integers(0, 60_000, (4, 6, 9)).astype(np.uint16)  # (Z, Y, X)
# x backwards, an origin, and three voxel sizes; in mm
AFFINE = np.array([[-0.00133, 0, 0, 5.0], [0, 0.002, 0, -2.0], [0, 0, 0.003, 0.5], [0, 0, 0, 1]])
identity = Compose([LoadStackd("image"), CopyItemsd("image", names="pred"), RestoreAxesd("pred")])


def nifti(path: Path, unit: str = "mm") -> Path:
    scale = {"mm": 1.0, "micron": 1e3}[unit]
    image = nibabel.Nifti1Image(VOLUME.transpose(), np.diag([scale, scale, scale, 1.0]) @ AFFINE)
    image.header.set_xyzt_units(unit)
    nibabel.save(image, path)
    return path


def itk_affine(path: Path) -> np.ndarray:
    """From voxel numbers (x, y, z) to mm (RAS) as ITK reads the file, which says mm to the left and to the back."""
    image = SimpleITK.ReadImage(str(path))
    columns = [image.TransformIndexToPhysicalPoint([int(i == axis) for i in range(3)]) for axis in range(3)]
    origin = np.array(image.GetOrigin())
    affine = np.eye(4)
    affine[:3, :3] = np.array(columns).T - origin[:, None]
    affine[:3, 3] = origin
    return np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine


def itk(path: Path) -> Path:
    image = SimpleITK.GetImageFromArray(VOLUME)
    image.SetSpacing([0.00133, 0.002, 0.003])
    image.SetOrigin([5.0, -2.0, 0.5])
    image.SetDirection([0, -1, 0, 1, 0, 0, 0, 0, 1])
    SimpleITK.WriteImage(image, str(path))
    return path


def test_a_file_comes_back_as_nibabel_reads_it(tmp_path: Path) -> None:
    item: Any = identity({"image": str(nifti(tmp_path / "a.nii.gz"))})
    np.testing.assert_array_equal(item["image"][0], VOLUME)
    np.testing.assert_array_equal(item["pred"][0], nibabel.load(tmp_path / "a.nii.gz").get_fdata())
    for image in (item["image"], item["pred"]):
        np.testing.assert_allclose(image.meta["original_affine"], AFFINE, rtol=1e-6)
        assert list(image.meta["spatial_shape"]) == [9, 6, 4]


def test_it_comes_back_through_the_grey_window_too(tmp_path: Path) -> None:
    chain = Compose(
        [LoadStackd("image"), GreyWindowd("image"), CopyItemsd("image", names="pred"), RestoreAxesd("pred")]
    )
    item: Any = chain({"image": nifti(tmp_path / "a.nii")})
    plain = Compose([LoadStackd("image"), GreyWindowd("image")])({"image": VOLUME})["image"]
    np.testing.assert_array_equal(item["pred"][0], np.asarray(plain[0]).transpose())


@pytest.mark.parametrize("suffix", [".nii", ".nrrd"])
def test_the_place_is_the_one_that_itk_finds(suffix: str, tmp_path: Path) -> None:
    path = itk(tmp_path / f"a{suffix}")
    np.testing.assert_allclose(open_stack(path).affine, itk_affine(path), atol=1e-7)


def test_a_unit_that_is_none_counts_as_millimetres(tmp_path: Path) -> None:
    path = itk(tmp_path / "a.nrrd")
    header, _, voxels = path.read_bytes().partition(b"\n\n")
    assert b"space units" not in header
    path.write_bytes(header + b'\nspace units: "pixel" "pixel" "pixel"\n\n' + voxels)
    np.testing.assert_allclose(open_stack(path).affine, itk_affine(itk(tmp_path / "b.nrrd")), atol=1e-7)


def test_microns_are_told(tmp_path: Path) -> None:
    path = nifti(tmp_path / "a.nii", "micron")
    np.testing.assert_allclose(open_stack(path).affine, AFFINE, rtol=1e-6)


@pytest.mark.parametrize("known", [True, False])
def test_a_format_without_a_place_gets_the_voxel_size(known: bool, tmp_path: Path) -> None:
    metadata = {"axes": "ZYX", "unit": "um", "spacing": 3.0}
    resolution = (1 / 1.33, 1 / 2.0)
    tifffile.imwrite(
        tmp_path / "a.tif",
        VOLUME,
        imagej=known,
        **({"resolution": resolution, "metadata": metadata} if known else {"photometric": "minisblack"}),
    )
    wanted = np.diag([-0.00133, -0.002, 0.003, 1.0] if known else [-1.0, -1.0, 1.0, 1.0])
    np.testing.assert_allclose(open_stack(tmp_path / "a.tif").affine, wanted, rtol=1e-6)


@pytest.mark.parametrize("channel", [False, True])
def test_what_monai_has_read_is_turned_round_and_back(channel: bool, tmp_path: Path) -> None:
    read = LoadImage(image_only=True, ensure_channel_first=channel)(nifti(tmp_path / "a.nii.gz"))
    before = dict(read.meta)
    item: Any = identity({"image": read})
    np.testing.assert_array_equal(item["image"][0], VOLUME)
    np.testing.assert_array_equal(item["pred"], np.asarray(read).reshape(1, 9, 6, 4))
    assert read.meta.keys() == before.keys()


@pytest.mark.parametrize(
    "image", [VOLUME, torch.as_tensor(VOLUME.astype(np.float32)), MetaTensor(VOLUME.astype(np.float32))]
)
def test_arrays_have_the_axes_of_a_stack(image: Any) -> None:
    item: Any = identity({"image": image})
    np.testing.assert_array_equal(item["image"][0], VOLUME)
    np.testing.assert_array_equal(item["pred"][0], VOLUME)


def test_a_single_slice(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", VOLUME[0])
    item: Any = identity({"image": tmp_path / "a.tif"})
    np.testing.assert_array_equal(item["image"][0], VOLUME[:1])
    np.testing.assert_array_equal(item["pred"][0], VOLUME[:1].transpose())

"""Masks of stacks with a place lie over them, as ITK reads both."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nibabel
import nrrd
import numpy as np
import pytest
import SimpleITK as sitk
import tifffile
import zarr

from custom.stack import open_stack
from custom.stack.warn import warn_once
from custom.stack.writers import open_writer

SHAPE = (5, 6, 7)
VOXELS = np.random.default_rng(0).integers(0, 2, SHAPE, np.uint8)
TURN = np.array([[0.8, -0.6, 0], [0.6, 0.8, 0], [0, 0, 1]]) @ np.array([[1, 0, 0], [0, 0.28, -0.96], [0, 0.96, 0.28]])
DIRECTIONS = {
    "lps": np.eye(3),
    "ras": np.diag([-1.0, -1, 1]),
    "one flip": np.diag([1.0, 1, -1]),
    "axes exchanged": np.eye(3)[[2, 0, 1]],
    "turned": TURN,
}


def image_at(direction: np.ndarray, spacing: Sequence[float] = (0.00133, 0.002, 0.0031)) -> sitk.Image:
    image = sitk.GetImageFromArray(VOXELS)
    image.SetSpacing(spacing)
    image.SetOrigin((5.0, -6.5, 7.25))
    image.SetDirection(direction.ravel())
    return image


def mask_of(path: Path, output_format: str, voxel_size_um: float | None = None) -> Path:
    """The stack's own voxels, as its mask is written."""
    stack = open_stack(path, voxel_size_um)
    given: Any = {"shape": stack.shape, "dtype": "uint8", "voxel_size_um": stack.voxel_size_um, "place": stack.place}
    with open_writer(path.parent / "mask", output_format, overwrite=True, **given) as writer:
        writer.write(0, stack.read(0, stack.shape[0]).astype(np.uint8))
    return writer.path


def as_itk(path: Path) -> sitk.Image:
    """A file as ITK reads it; an OME-Zarr as its transformations say, x to the left and y to the back."""
    if path.suffix != ".zarr":
        return sitk.ReadImage(str(path))
    group = zarr.open_group(path, mode="r")
    described: Any = group.attrs["ome"]["multiscales"][0]  # type: ignore[index,call-overload]
    mm = {"micrometer": 0.001}.get(described["axes"][0].get("unit"), 1.0)
    moves = {step["type"]: step[step["type"]] for step in described["datasets"][0]["coordinateTransformations"]}
    image = sitk.GetImageFromArray(np.asarray(group["0"]))
    image.SetSpacing([mm * size for size in moves["scale"][::-1]])
    image.SetOrigin([mm * length for length in moves.get("translation", [0, 0, 0])[::-1]])
    return image


def assert_over(mask: sitk.Image, image: sitk.Image) -> None:
    """Every voxel of the mask falls on its own of the image, which a resampling then finds too."""
    last = [size - 1 for size in image.GetSize()]
    for corner in np.ndindex(2, 2, 2):
        index = [int(end * side) for end, side in zip(last, corner, strict=True)]
        found = image.TransformPhysicalPointToContinuousIndex(mask.TransformIndexToPhysicalPoint(index))
        np.testing.assert_allclose(found, index, atol=0.02)
    resampled = sitk.Resample(mask, image, sitk.Transform(), sitk.sitkNearestNeighbor, 9)
    np.testing.assert_array_equal(sitk.GetArrayFromImage(resampled), VOXELS)


@pytest.mark.parametrize("output_format", ["nii.gz", "nrrd"])
@pytest.mark.parametrize("direction", DIRECTIONS.values(), ids=DIRECTIONS)
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd"])
def test_the_mask_lies_over_its_image(suffix: str, direction: np.ndarray, output_format: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix}"
    sitk.WriteImage(image_at(direction), str(path))
    assert_over(as_itk(mask_of(path, output_format)), sitk.ReadImage(str(path)))


@pytest.mark.parametrize("suffix", [".nii", ".nrrd", ".mha"])
def test_ome_zarr_says_size_and_origin(suffix: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / f"a{suffix}"
    sitk.WriteImage(image_at(np.eye(3)), str(path))
    mask = mask_of(path, "zarr").rename(tmp_path / "a.zarr")
    assert_over(as_itk(mask), sitk.ReadImage(str(path)))
    for output_format in ("zarr", "nii.gz", "nrrd"):  # which keep it of an OME-Zarr too
        assert_over(as_itk(mask_of(mask, output_format)), sitk.ReadImage(str(path)))
    assert not caplog.records


def test_ome_zarr_has_no_words_for_a_direction(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    warn_once.cache_clear()
    sitk.WriteImage(image_at(DIRECTIONS["ras"]), str(tmp_path / "a.nii"))
    image = as_itk(mask_of(tmp_path / "a.nii", "zarr"))
    assert image.GetOrigin() == (0, 0, 0) and image.GetSpacing() == pytest.approx((0.00133, 0.002, 0.0031))
    (record,) = caplog.records
    assert "give --output_format nii.gz or nrrd" in record.getMessage()


def test_a_header_of_ones_has_no_direction(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    nibabel.save(nibabel.Nifti1Image(VOXELS.transpose(), np.eye(4)), tmp_path / "a.nii")
    assert as_itk(mask_of(tmp_path / "a.nii", "zarr")).GetSpacing() == (1, 1, 1)
    assert as_itk(mask_of(tmp_path / "a.nii", "zarr", 2.0)).GetSpacing() == (0.002, 0.002, 0.002)
    assert not caplog.records


def test_overviews_are_centred_on_what_they_stand_for(tmp_path: Path) -> None:
    image = sitk.Image([300, 5, 3], sitk.sitkUInt8)
    image.SetSpacing((0.001, 0.002, 0.003))
    image.SetOrigin((1, 2, 3))
    sitk.WriteImage(image, str(tmp_path / "a.mha"))
    described: Any = zarr.open_group(mask_of(tmp_path / "a.mha", "zarr"), mode="r").attrs["ome"]
    steps = described["multiscales"][0]["datasets"][1]["coordinateTransformations"]
    first = image.TransformContinuousIndexToPhysicalPoint((0.5, 0.5, 0.5))
    np.testing.assert_allclose(steps[1]["translation"][::-1], np.multiply(first, 1000))


@pytest.mark.parametrize("output_format", ["nii.gz", "nrrd"])
@pytest.mark.parametrize("codes", [(0, 0), (2, 1), (0, 1)])
@pytest.mark.parametrize("unit", ["mm", "micron", "unknown"])
def test_nifti_masks_are_read_as_their_image_is(
    unit: str, codes: tuple[int, int], output_format: str, tmp_path: Path
) -> None:
    """By nibabel too, which heeds no unit and places a file without forms otherwise than ITK."""
    factor = {"micron": 1000.0}.get(unit, 1.0)
    affine = np.diag([factor] * 3 + [1.0]) @ np.array(
        [[0.00133, 0, 0, 5], [0, 0.002, 0, -6.5], [0, 0, 0.0031, 7.25], [0, 0, 0, 1]]
    )
    image = nibabel.Nifti1Image(VOXELS.transpose(), None)
    image.header.set_xyzt_units(unit)
    image.header.set_qform(affine, codes[1])
    image.header.set_sform(affine, codes[0])
    nibabel.save(image, tmp_path / "a.nii")
    mask = mask_of(tmp_path / "a.nii", output_format)
    assert_over(as_itk(mask), sitk.ReadImage(str(tmp_path / "a.nii")))
    known = open_stack(tmp_path / "a.nii").voxel_size_um
    assert open_stack(mask).voxel_size_um == (known and pytest.approx(known, rel=1e-9))
    if output_format == "nii.gz":
        np.testing.assert_array_equal(nibabel.load(mask).affine, nibabel.load(tmp_path / "a.nii").affine)


def test_a_nifti_with_two_places_gives_them_both_to_its_mask(tmp_path: Path) -> None:
    image = nibabel.Nifti1Image(VOXELS.transpose(), np.diag([2.0, 3, 4, 1]))
    image.header.set_qform(np.diag([-2.0, 3, 4, 1]), 1)
    nibabel.save(image, tmp_path / "a.nii")
    mask = mask_of(tmp_path / "a.nii", "nii.gz")
    assert_over(as_itk(mask), sitk.ReadImage(str(tmp_path / "a.nii")))
    np.testing.assert_array_equal(nibabel.load(mask).affine, np.diag([2, 3, 4, 1]))


@pytest.mark.parametrize("unit", ["mm", "um", "", None])
def test_an_nrrd_mask_keeps_the_unit_of_its_image(unit: str | None, tmp_path: Path) -> None:
    header = {"space": "left-anterior-superior", "space directions": np.diag([1.33, 2, 3]), "space origin": [5, 6, 7]}
    header |= {} if unit is None else {"space units": [unit] * 3}
    nrrd.write(str(tmp_path / "a.nrrd"), VOXELS.transpose(), header)
    mask = mask_of(tmp_path / "a.nrrd", "nrrd")
    assert_over(as_itk(mask), sitk.ReadImage(str(tmp_path / "a.nrrd")))
    known = open_stack(tmp_path / "a.nrrd").voxel_size_um
    assert open_stack(mask).voxel_size_um == (known and pytest.approx(known))


def test_a_nifti_mask_of_an_image_in_a_unit_that_itk_passes_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    header = {"space": "LPS", "space directions": np.diag([1.33, 2, 3]), "space units": ["um"] * 3}
    nrrd.write(str(tmp_path / "a.nrrd"), VOXELS.transpose(), header)
    assert open_stack(mask_of(tmp_path / "a.nrrd", "nii.gz")).voxel_size_um == pytest.approx((3, 2, 1.33))
    assert "um, for mm, but heed the one of NIfTI" in caplog.text


@pytest.mark.parametrize("output_format", ["nii.gz", "nrrd", "zarr"])
def test_a_stack_that_states_its_size_alone(output_format: str, tmp_path: Path) -> None:
    metadata = {"axes": "ZYX", "unit": "um", "spacing": 3.1}
    tifffile.imwrite(tmp_path / "a.tif", VOXELS, imagej=True, resolution=(1 / 1.33, 1 / 2.0), metadata=metadata)
    wanted = sitk.GetImageFromArray(VOXELS)
    wanted.SetSpacing((0.00133, 0.002, 0.0031))
    assert_over(as_itk(mask_of(tmp_path / "a.tif", output_format)), wanted)


@pytest.mark.parametrize("output_format", ["nii.gz", "nrrd", "zarr"])
def test_a_given_size_keeps_direction_and_origin(output_format: str, tmp_path: Path) -> None:
    sitk.WriteImage(image_at(np.eye(3)), str(tmp_path / "a.mha"))
    wanted = image_at(np.eye(3), (0.002, 0.002, 0.002))
    assert_over(as_itk(mask_of(tmp_path / "a.mha", output_format, 2.0)), wanted)


@pytest.mark.parametrize("output_format", ["nii.gz", "nrrd", "zarr"])
def test_a_single_slice(output_format: str, tmp_path: Path) -> None:
    lines = ["ObjectType = Image", "NDims = 2", "BinaryData = True", "DimSize = 7 6", "ElementSpacing = 0.002 0.003"]
    lines += ["Offset = 5 6", "ElementType = MET_UCHAR", "ElementDataFile = LOCAL", ""]
    (tmp_path / "a.mha").write_bytes("\n".join(lines).encode() + VOXELS[0].tobytes())
    image = as_itk(mask_of(tmp_path / "a.mha", output_format))
    assert image.GetSize() == (7, 6, 1)
    assert image.GetOrigin()[:2] == pytest.approx((5, 6)) and image.GetSpacing()[:2] == pytest.approx((0.002, 0.003))


def test_nifti_says_how_far_its_rounding_moves_voxels(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    image = image_at(np.eye(3))
    image.SetOrigin((5000.0001, 0, 0))
    sitk.WriteImage(image, str(tmp_path / "a.mha"))
    mask_of(tmp_path / "a.mha", "nrrd")
    assert not caplog.records
    mask_of(tmp_path / "a.mha", "nii.gz")
    assert "NIfTI's 32-bit numbers move voxels by up to 0.075 of their size" in caplog.text

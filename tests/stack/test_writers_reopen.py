"""Each format through a library that did not write it: the voxels, their type and their size."""

import numpy as np
import pytest
import SimpleITK as sitk
from ome_zarr.io import parse_url
from ome_zarr.reader import Reader
from PIL import Image
from tifffile import TiffSequence

from custom.stack import open_stack
from custom.stack.writers import OUTPUT_FORMATS, open_writer

SHAPE = (21, 40, 31)
UM = (2.5, 0.65, 0.7)


def through_ome_zarr(path):
    (image,) = Reader(parse_url(path))()
    assert {axis["unit"] for axis in image.metadata["axes"]} == {"micrometer"}
    return image.data[0].compute(), image.metadata["coordinateTransformations"][0][0]["scale"]


def through_itk(path):
    image = sitk.ReadImage(str(path))
    return sitk.GetArrayFromImage(image), 1000 * np.array(image.GetSpacing()[::-1])


def pillow_slices(path):
    """The slices of a TIFF file and the size that ImageJ would give to its voxels."""
    with Image.open(path) as image:
        lines = dict(line.split("=") for line in image.tag_v2[270].splitlines() if "=" in line)
        assert lines["unit"] == "um" and int(lines["images"]) == image.n_frames
        size = (float(lines["spacing"]), 1 / float(image.tag_v2[283]), 1 / float(image.tag_v2[282]))
        slices = []
        for z in range(image.n_frames):
            image.seek(z)
            slices.append(np.asarray(image))
    return np.stack(slices), size


def through_pillow(path):
    if path.is_file():
        return pillow_slices(path)
    files = sorted(path.iterdir())
    assert [file.name for file in files] == [f"mask_{z:05d}.tif" for z in range(SHAPE[0])]
    slices, (size, *others) = zip(*map(pillow_slices, files), strict=True)
    assert set(others) == {size}
    return np.concatenate(slices), size


REOPENED = {
    "zarr": through_ome_zarr,
    "tiff": through_pillow,
    "tiff_folder": through_pillow,
    "nii.gz": through_itk,
    "nrrd": through_itk,
}


def stack_of(dtype):
    return (np.random.default_rng(1).random(SHAPE) * 200 - (dtype == "float32")).astype(dtype)


def write(folder, output_format, stack, voxel_size_um=UM):
    with open_writer(folder / "mask", output_format, stack.shape, stack.dtype, voxel_size_um) as writer:
        for start in range(0, len(stack), 8):
            writer.write(start, stack[start : start + 8])
    return writer.path


@pytest.mark.parametrize("output_format", OUTPUT_FORMATS)
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_voxels_type_and_size_come_back(tmp_path, output_format, dtype):
    stack = stack_of(dtype)
    voxels, size = REOPENED[output_format](write(tmp_path, output_format, stack))
    assert voxels.shape == SHAPE and voxels.dtype == stack.dtype
    np.testing.assert_array_equal(voxels, stack)
    np.testing.assert_allclose(size, UM, rtol=1e-6)


def test_a_folder_of_slices_is_a_sequence_and_a_stack(tmp_path):
    stack = stack_of("uint16")
    path = write(tmp_path, "tiff_folder", stack)
    np.testing.assert_array_equal(TiffSequence(str(path / "*.tif")).asarray(), stack)
    again = open_stack(path)
    np.testing.assert_array_equal(again.read(0, SHAPE[0]), stack)
    np.testing.assert_allclose(again.voxel_size_um, UM, rtol=1e-6)
    assert open_stack(write(tmp_path / "unknown", "tiff_folder", stack, None)).voxel_size_um is None


def test_names_of_slices_stay_in_order_beyond_five_digits(tmp_path):
    writer = open_writer(tmp_path / "mask", "tiff_folder", (100_001, 1, 1), "uint8", None)
    writer.write(0, np.zeros((1, 1, 1), "uint8"))
    assert [file.name for file in tmp_path.glob(".mask_tiff*/*")] == ["mask_000000.tif"]
    writer.abort()

"""Written stacks, opened again by libraries that had no part in writing them."""

import hashlib
from xml.etree import ElementTree

import nibabel as nib
import nrrd
import numpy as np
import pytest
import SimpleITK as sitk
from ome_zarr.io import parse_url
from ome_zarr.reader import Reader
from PIL import Image

from custom.stack.writers import OUTPUT_FORMATS, open_writer, tiff

SUFFIXES = {"zarr": ".zarr", "tiff": ".tif", "tiff_folder": "_tiff", "nii.gz": ".nii.gz", "nrrd": ".nrrd"}
SHAPE = (37, 20, 31)  # no multiple of a chunk, three different lengths
VOXEL_SIZE_UM = (2.5, 0.65, 0.7)
SPACING_MM = (0.0007, 0.00065, 0.0025)


def stack_of(dtype, shape=SHAPE):
    values = np.random.default_rng(7).integers(0, 256, shape)
    return (
        (values / 255 - 0.5).astype(dtype) if dtype == "float32" else (values * (dtype == "uint16" or 1)).astype(dtype)
    )


def write(folder, output_format, stack, height=7, voxel_size_um=VOXEL_SIZE_UM, **options):
    with open_writer(folder / "mask", output_format, stack.shape, stack.dtype, voxel_size_um, **options) as writer:
        for start in range(0, len(stack), height):
            writer.write(start, stack[start : start + height])
    return writer.path


def read_foreign(path):
    if path.suffix == ".zarr":
        nodes = list(Reader(parse_url(path))())
        return np.asarray(nodes[0].data[0])
    if path.is_dir():
        return sitk.GetArrayFromImage(sitk.ReadImage([str(file) for file in sorted(path.iterdir())]))
    return sitk.GetArrayFromImage(sitk.ReadImage(str(path)))


def digest(path):
    files = [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())
    return [(str(file.relative_to(path)), hashlib.sha256(file.read_bytes()).hexdigest()) for file in files]


@pytest.mark.parametrize("output_format", OUTPUT_FORMATS)
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("height", [1, 3, 7, 37])
def test_another_library_reads_the_same_voxels(tmp_path, output_format, dtype, height):
    stack = stack_of(dtype)
    path = write(tmp_path, output_format, stack, height)
    assert path == tmp_path / f"mask{SUFFIXES[output_format]}"
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]
    back = read_foreign(path)
    assert back.dtype == stack.dtype
    np.testing.assert_array_equal(back, stack)


@pytest.mark.parametrize("output_format", OUTPUT_FORMATS)
def test_equal_stacks_are_equal_bytes_whatever_the_slabs(tmp_path, output_format):
    stack = stack_of("uint8", (37, 300, 270))
    paths = [write(tmp_path / str(height), output_format, stack, height) for height in (1, 7, 37)]
    assert digest(paths[0]) == digest(paths[1]) == digest(paths[2])
    np.testing.assert_array_equal(read_foreign(paths[0]), stack)


@pytest.mark.parametrize("output_format", OUTPUT_FORMATS)
def test_an_empty_mask_takes_little_room(tmp_path, output_format):
    path = write(tmp_path, output_format, np.zeros((16, 256, 256), "uint8"))  # 1 MB
    assert sum(file.stat().st_size for file in [path, *path.rglob("*")]) < 50_000


@pytest.mark.parametrize("output_format", OUTPUT_FORMATS)
def test_big_endian_and_strided_slabs_are_taken(tmp_path, output_format):
    stack = stack_of("uint16")
    with open_writer(tmp_path / "mask", output_format, SHAPE, "uint16", None) as writer:
        writer.write(0, stack.astype(">u2")[:20])
        writer.write(20, np.asfortranarray(stack[20:]))
    np.testing.assert_array_equal(read_foreign(writer.path), stack)


@pytest.mark.parametrize("output_format", OUTPUT_FORMATS)
def test_one_slice_is_a_stack(tmp_path, output_format):
    stack = stack_of("uint8", (1, 20, 3))  # 3 columns must not be taken for RGB
    back = read_foreign(write(tmp_path, output_format, stack))
    np.testing.assert_array_equal(back.reshape(stack.shape), stack)


@pytest.mark.parametrize("output_format", ["nii.gz", "nrrd"])
def test_itk_finds_the_voxel_size_in_mm_and_no_rotation(tmp_path, output_format):
    image = sitk.ReadImage(str(write(tmp_path, output_format, stack_of("uint8"))))
    np.testing.assert_allclose(image.GetSpacing(), SPACING_MM, rtol=1e-6)
    assert image.GetDirection() == (1, 0, 0, 0, 1, 0, 0, 0, 1)
    unknown = sitk.ReadImage(str(write(tmp_path / "unknown", output_format, stack_of("uint8"), voxel_size_um=None)))
    assert unknown.GetSpacing() == (1, 1, 1)


def test_nifti_states_its_unit_only_when_known(tmp_path):
    known = nib.load(write(tmp_path / "known", "nii.gz", stack_of("uint8")))
    assert known.header.get_xyzt_units()[0] == "mm"
    np.testing.assert_allclose(known.header.get_zooms(), SPACING_MM, rtol=1e-6)
    np.testing.assert_array_equal(np.asarray(known.dataobj).T, stack_of("uint8"))
    unknown = nib.load(write(tmp_path / "unknown", "nii.gz", stack_of("uint8"), voxel_size_um=None))
    assert unknown.header.get_xyzt_units()[0] == "unknown"


def test_nrrd_states_its_unit_only_when_known(tmp_path):
    data, header = nrrd.read(str(write(tmp_path / "known", "nrrd", stack_of("uint16"))))
    np.testing.assert_array_equal(data.T, stack_of("uint16"))
    np.testing.assert_array_equal(header["space directions"], np.diag(SPACING_MM))
    assert header["space units"] == ["mm", "mm", "mm"]
    header = nrrd.read_header(str(write(tmp_path / "unknown", "nrrd", stack_of("uint16"), voxel_size_um=None)))
    assert not {"space", "space units", "space directions", "spacings"} & header.keys()


def tiff_tags(path):
    with Image.open(path) as image:
        return image.n_frames, dict(image.tag_v2)


def test_tiff_is_calibrated_for_imagej(tmp_path):
    frames, tags = tiff_tags(write(tmp_path / "known", "tiff", (stack_of("uint8") > 200).astype("uint8")))
    lines = tags[270].splitlines()
    assert frames == 37 and lines[0].startswith("ImageJ=")
    assert {"images=37", "slices=37", "unit=um", "spacing=2.5", "min=0.0", "max=1.0"} <= set(lines)
    np.testing.assert_allclose([float(tags[282]), float(tags[283])], [1 / 0.7, 1 / 0.65], rtol=1e-6)
    assert (tags[296], tags[259]) == (1, 8)  # no unit of its own, so ImageJ's holds; Adobe deflate
    _, tags = tiff_tags(write(tmp_path / "unknown", "tiff", stack_of("uint8"), voxel_size_um=None))
    assert "unit" not in tags[270] and "spacing" not in tags[270]


def test_display_range_of_a_tiff_is_that_of_all_finite_values(tmp_path):
    stack = stack_of("float32")
    stack[0], stack[30, 3, 3], stack[31, 1, 1] = 0, np.nan, 4.5  # the last two in one slab
    _, tags = tiff_tags(write(tmp_path, "tiff", stack))
    assert {"min=-0.5", "max=4.5"} <= set(tags[270].splitlines())


def test_large_tiff_is_a_bigtiff_with_ome_xml(tmp_path, monkeypatch):
    monkeypatch.setattr(tiff, "CLASSIC_LIMIT", 10_000)
    stack = stack_of("uint16")
    path = write(tmp_path, "tiff", stack)
    assert path.read_bytes()[:4] == b"II\x2b\x00"
    np.testing.assert_array_equal(read_foreign(path), stack)
    pixels = ElementTree.fromstring(tiff_tags(path)[1][270]).find(".//{*}Pixels").attrib
    assert [int(pixels[f"Size{axis}"]) for axis in "ZYX"] == list(SHAPE)
    assert [float(pixels[f"PhysicalSize{axis}"]) for axis in "ZYX"] == list(VOXEL_SIZE_UM)
    assert {pixels[f"PhysicalSize{axis}Unit"] for axis in "ZYX"} == {"µm"}
    assert path.read_bytes() == write(tmp_path / "again", "tiff", stack).read_bytes()


@pytest.mark.parametrize(("depth", "version"), [(600, 42), (700, 43)])  # 3.9 and 4.6 GB
def test_bigtiff_begins_at_4_gb(tmp_path, depth, version):
    writer = open_writer(tmp_path / "mask", "tiff", (depth, 2560, 2560), "uint8", None)
    writer.write(0, np.zeros((1, 2560, 2560), "uint8"))
    (hidden,) = tmp_path.iterdir()
    writer._encoder._file.flush()
    assert hidden.read_bytes()[2] == version
    writer.abort()

"""The same volume, written by other libraries in every format, opens as the same (Z, Y, X) array."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, cast

import h5py
import nibabel
import nrrd
import numpy as np
import pytest
import SimpleITK
import tifffile
import zarr

from custom.stack import open_stack

Z, Y, X = 7, 11, 13
Writer = Callable[[Path, np.ndarray], Path]


def volume(dtype: str) -> np.ndarray:
    """Random values over the whole range of an integer type, or normal ones for a float type."""
    rng = np.random.default_rng(0)
    if np.dtype(dtype).kind == "f":
        return rng.normal(size=(Z, Y, X)).astype(dtype)
    limits = np.iinfo(dtype)
    return rng.integers(limits.min, limits.max, (Z, Y, X), dtype, endpoint=True)


def folder(**options: Any) -> Writer:
    def write(path: Path, voxels: np.ndarray) -> Path:
        path.mkdir()
        for z, voxel_slice in enumerate(voxels):
            tifffile.imwrite(path / f"recon_{z + 8}.TIFF", voxel_slice, **options)  # 8, 9, 10: needs natural order
        (path / "notes.txt").write_text("pixel size 1.33 um")
        (path / ".recon_9.tif").write_bytes(b"left by a file browser")
        (path / "raw.tif").mkdir()
        return path

    return write


def tiff(**options: Any) -> Writer:
    def write(path: Path, voxels: np.ndarray) -> Path:
        path = path.with_suffix(".tif")
        tifffile.imwrite(path, voxels, **{"photometric": "minisblack", **options})
        return path

    return write


def tiff_page_by_page(path: Path, voxels: np.ndarray) -> Path:
    path = path.with_suffix(".tiff")
    with tifffile.TiffWriter(path) as writer:
        for z, voxel_slice in enumerate(voxels):
            # Alternating compression makes tifffile see two interleaved series.
            writer.write(voxel_slice, compression="zlib" if z % 2 else None, metadata=None, photometric="minisblack")
    return path


def nifti(suffix: str, image: type = nibabel.Nifti1Image) -> Writer:
    def write(path: Path, voxels: np.ndarray) -> Path:
        path = path.with_name(path.name + suffix)
        nibabel.save(image(voxels.transpose(2, 1, 0), np.eye(4), dtype=voxels.dtype), path)
        return path

    return write


def pynrrd(suffix: str = ".nrrd", **header: Any) -> Writer:
    def write(path: Path, voxels: np.ndarray) -> Path:
        path = path.with_suffix(suffix)
        nrrd.write(str(path), voxels, header, index_order="C")
        return path

    return write


def itk(suffix: str, compressed: bool) -> Writer:
    def write(path: Path, voxels: np.ndarray) -> Path:
        path = path.with_name(path.name + suffix)
        SimpleITK.WriteImage(SimpleITK.GetImageFromArray(voxels), str(path), compressed)
        return path

    return write


def npy(order: Literal["C", "F"] = "C") -> Writer:
    def write(path: Path, voxels: np.ndarray) -> Path:
        path = path.with_suffix(".npy")
        np.save(path, np.array(voxels, order=order))
        return path

    return write


def hdf5(**options: Any) -> Writer:
    def write(path: Path, voxels: np.ndarray) -> Path:
        path = path.with_suffix(".h5")
        with h5py.File(path, "w") as file:
            file.create_dataset("/exchange/data", data=voxels, **options)
        return path

    return write


def zarr_array(version: Literal[2, 3]) -> Writer:
    def write(path: Path, voxels: np.ndarray) -> Path:
        path = path.with_suffix(".zarr")
        zarr.create_array(path, data=voxels, chunks=(2, 5, 5), zarr_format=version)
        return path

    return write


WRITERS: dict[str, Writer] = {
    "folder": folder(),
    "folder zlib": folder(compression="zlib", predictor=True),
    "tiff": tiff(),
    "tiff zlib": tiff(compression="zlib"),
    "tiff lzw": tiff(compression="lzw", predictor=True),
    "tiff tiles": tiff(compression="zlib", tile=(16, 16)),
    "tiff tiles of two slices": tiff(tile=(16, 16)),
    "tiff strips": tiff(rowsperstrip=3),
    "tiff BigTIFF": tiff(bigtiff=True, compression="zlib"),
    "tiff big-endian": tiff(byteorder=">"),
    "tiff big-endian zlib": tiff(byteorder=">", compression="zlib"),
    "tiff OME": tiff(ome=True, metadata={"axes": "ZYX"}),
    "tiff without description": tiff(metadata=None),
    "tiff page by page": tiff_page_by_page,
    "nii": nifti(".nii"),
    "nii.gz": nifti(".nii.gz"),
    "nii version 2": nifti(".nii", nibabel.Nifti2Image),
    "nii.gz of ITK": itk(".nii.gz", True),
    "nrrd raw": pynrrd(encoding="raw"),
    "nrrd gzip": pynrrd(encoding="gzip"),
    "nrrd bzip2": pynrrd(encoding="bzip2"),
    "nhdr": pynrrd(".nhdr", encoding="raw"),
    "nhdr gzip": pynrrd(".nhdr", encoding="gzip"),
    "nrrd of ITK": itk(".nrrd", False),
    "nrrd of ITK gzip": itk(".nrrd", True),
    "mha": itk(".mha", False),
    "mha compressed": itk(".mha", True),
    "mhd": itk(".mhd", False),
    "mhd compressed": itk(".mhd", True),
    "npy": npy(),
    "npy column-major": npy("F"),
    "hdf5": hdf5(),
    "hdf5 gzip": hdf5(compression="gzip", chunks=(2, 5, 5)),
    "zarr version 2": zarr_array(2),
    "zarr version 3": zarr_array(3),
}


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32"])
@pytest.mark.parametrize("writer", WRITERS)
def test_every_format_gives_the_same_stack(writer: str, dtype: str, tmp_path: Path) -> None:
    voxels = volume(dtype)
    path = WRITERS[writer](tmp_path / "stack", voxels)
    stack = open_stack(path)
    assert (stack.path, stack.shape, stack.dtype) == (path, (Z, Y, X), np.dtype(dtype))
    for start, stop in [(0, Z), (5, 7), (1, 2), (3, 6)]:  # going back too
        read = stack.read(start, stop)
        assert read.dtype == np.dtype(dtype) and read.dtype.isnative
        np.testing.assert_array_equal(read, voxels[start:stop])


@pytest.mark.parametrize("writer", ["folder", "tiff zlib", "nii", "nii.gz", "nrrd gzip", "mha", "npy"])
@pytest.mark.parametrize("dtype", ["int8", "uint32", "int64", "float64"])
def test_the_less_common_types(writer: str, dtype: str, tmp_path: Path) -> None:
    voxels = volume(dtype)
    stack = open_stack(WRITERS[writer](tmp_path / "stack", voxels))
    assert stack.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(stack.read(0, Z), voxels)


@pytest.mark.parametrize("dtype", [">u2", ">f4", ">f8"])
@pytest.mark.parametrize("writer", ["nii", "nii.gz", "nrrd raw", "nrrd gzip", "npy"])
def test_big_endian_voxels_come_in_native_order(writer: str, dtype: str, tmp_path: Path) -> None:
    voxels = volume(dtype[1:]).astype(dtype)
    write = WRITERS[writer] if not writer.startswith("nrrd") else pynrrd(encoding=writer.split()[1], endian="big")
    if writer.startswith("nii"):
        image = nibabel.Nifti1Image(voxels.transpose(2, 1, 0), np.eye(4), nibabel.Nifti1Header(endianness=">"))
        image.set_data_dtype(dtype)
        path = tmp_path / f"stack.{writer}"
        nibabel.save(image, path)
    else:
        path = write(tmp_path / "stack", voxels)
    read = open_stack(path).read(0, Z)
    assert read.dtype.isnative
    np.testing.assert_array_equal(read, voxels)


def test_half_floats_and_packed_bits_in_tiff(tmp_path: Path) -> None:
    half = volume("float32").astype(np.float16)
    np.testing.assert_array_equal(open_stack(tiff()(tmp_path / "half", half)).read(0, Z), half)
    mask = volume("uint8") > 127
    stack = open_stack(tiff(compression="zlib")(tmp_path / "mask", mask))
    assert stack.dtype == np.uint8
    np.testing.assert_array_equal(stack.read(0, Z), mask.astype(np.uint8))


def test_booleans_come_as_uint8(tmp_path: Path) -> None:
    mask = volume("uint8") > 127
    stack = open_stack(npy()(tmp_path / "mask", mask))
    assert stack.dtype == stack.read(0, 1).dtype == np.uint8
    np.testing.assert_array_equal(stack.read(0, Z), mask.astype(np.uint8))


@pytest.mark.parametrize("writer", ["tiff", "tiff zlib", "nii", "nii.gz", "nrrd gzip", "mha compressed", "npy"])
def test_a_single_slice_is_a_stack_of_one(writer: str, tmp_path: Path) -> None:
    voxels = volume("uint16")[0]
    path = tmp_path / "slice"
    if writer.startswith("nii"):
        path = tmp_path / f"slice.{writer}"
        nibabel.save(nibabel.Nifti1Image(voxels.T, np.eye(4)), path)
    else:
        path = WRITERS[writer](path, voxels)
    stack = open_stack(str(path))
    assert stack.shape == (1, Y, X)
    np.testing.assert_array_equal(stack.read(0, 1)[0], voxels)


def test_imagej_hyperstack_with_one_directory(tmp_path: Path) -> None:
    """ImageJ writes stacks beyond 4 GB as one directory followed by all voxels."""
    voxels = volume("uint16")
    path = tmp_path / "stack.tif"
    tifffile.imwrite(path, voxels, imagej=True, truncate=True)
    with tifffile.TiffFile(path) as written:
        assert len(written.pages) == 1  # else this test shows nothing
    np.testing.assert_array_equal(open_stack(path).read(2, 5), voxels[2:5])


@pytest.mark.parametrize("stored", ["uint8", "int16", "int32"])
def test_nifti_scaling_is_applied(stored: str, tmp_path: Path) -> None:
    path = tmp_path / "scaled.nii.gz"
    image = nibabel.Nifti1Image(volume(stored).transpose(2, 1, 0), np.eye(4), dtype=stored)
    image.header.set_slope_inter(0.25, -7.0)
    nibabel.save(image, path)
    stack = open_stack(path)
    assert stack.dtype == (np.float64 if stored == "int32" else np.float32)
    reference = cast(nibabel.Nifti1Image, nibabel.load(path)).get_fdata().transpose(2, 1, 0)
    np.testing.assert_allclose(stack.read(0, Z), reference, rtol=1e-6)


def test_axes_of_length_one_are_dropped(tmp_path: Path) -> None:
    voxels = volume("uint8")
    np.save(tmp_path / "stack.npy", voxels[None])
    nibabel.save(nibabel.Nifti1Image(voxels.transpose(2, 1, 0)[..., None], np.eye(4)), tmp_path / "stack.nii")
    for name in ("stack.npy", "stack.nii"):
        np.testing.assert_array_equal(open_stack(tmp_path / name).read(0, Z), voxels)


def test_suffixes_are_read_in_any_case(tmp_path: Path) -> None:
    voxels = volume("uint8")
    written = nifti(".nii.gz")(tmp_path / "stack", voxels)
    np.testing.assert_array_equal(open_stack(written.rename(tmp_path / "B.NII.GZ")).read(0, Z), voxels)


def test_nrrd_line_and_byte_skip(tmp_path: Path) -> None:
    voxels = volume("uint16")
    head = "NRRD0004\ntype: ushort\ndimension: 3\nsizes: 13 11 7\nencoding: raw\nendian: little\n"
    (tmp_path / "stack.raw").write_bytes(b"a line\nanother\nxyz" + voxels.astype("<u2").tobytes())
    (tmp_path / "ahead.nhdr").write_text(head + "line skip: 2\nbyte skip: 3\ndata file: stack.raw\n")
    (tmp_path / "end.nhdr").write_text(head + "byte skip: -1\ndata file: stack.raw\n")
    for name in ("ahead.nhdr", "end.nhdr"):
        np.testing.assert_array_equal(open_stack(tmp_path / name).read(0, Z), voxels)


@pytest.mark.parametrize(("start", "stop"), [(-1, 2), (2, 2), (3, 1), (0, Z + 1)])
def test_reading_outside_is_an_error(start: int, stop: int, tmp_path: Path) -> None:
    stack = open_stack(npy()(tmp_path / "stack", volume("uint8")))
    with pytest.raises(IndexError, match=f"{Z} slices"):
        stack.read(start, stop)


def test_what_is_read_may_be_changed_without_touching_the_file(tmp_path: Path) -> None:
    path = npy()(tmp_path / "stack", volume("uint8"))
    stack, before = open_stack(path), path.read_bytes()
    stack.read(0, Z)[:] = 0
    assert path.read_bytes() == before
    np.testing.assert_array_equal(stack.read(0, Z), volume("uint8"))

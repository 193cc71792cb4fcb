"""Every refusal is a `BadInput` whose one sentence names the file, the fault and the cure."""

import gzip
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import nibabel
import nrrd
import numpy as np
import pytest
import SimpleITK
import tifffile

from custom.base.errors import BadInput
from custom.stack import open_stack, slabs

VOXELS = np.random.default_rng(0).integers(0, 1 << 16, (7, 20, 30), np.uint16)


def refusal(path: Path) -> str:
    """The sentence with which opening `path` and reading all of it is refused."""
    with pytest.raises(BadInput) as refused:
        stack = open_stack(path)
        stack.read(0, stack.shape[0])
    sentence = str(refused.value)
    assert "\n" not in sentence and sentence.endswith(".") and len(sentence) < 500
    return sentence


def grey(path: Path, voxels: np.ndarray, **options: Any) -> Path:
    tifffile.imwrite(path, voxels, photometric="minisblack", **options)
    return path


def test_missing_path(tmp_path: Path) -> None:
    assert "recon: does not exist" in refusal(tmp_path / "recon")
    assert "recon.tif: does not exist" in refusal(tmp_path / "recon.tif")


def test_folder_without_slices(tmp_path: Path) -> None:
    assert refusal(tmp_path).startswith(f"{tmp_path}: holds no TIFF slices")
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / ".hidden.tif").write_bytes(b"")
    assert "give a folder of slices or a single stack file" in refusal(tmp_path)


def test_slices_of_different_size(tmp_path: Path) -> None:
    for z in range(12):
        grey(tmp_path / f"s_{z}.tif", VOXELS[0] if z < 9 else VOXELS[0][: 20 - z])
    sentence = refusal(tmp_path)
    assert f"{tmp_path / 's_9.tif'}: is 30 x 11 pixels of uint16 but s_0.tif is 30 x 20 pixels of uint16" in sentence


def test_slices_of_different_type(tmp_path: Path) -> None:
    grey(tmp_path / "a.tif", VOXELS[0])
    grey(tmp_path / "b.tif", VOXELS[0].astype(np.float32))
    assert "b.tif: is 30 x 20 pixels of float32 but a.tif is 30 x 20 pixels of uint16" in refusal(tmp_path)


def test_a_stack_among_the_slices(tmp_path: Path) -> None:
    grey(tmp_path / "a.tif", VOXELS[0])
    grey(tmp_path / "b.tif", VOXELS)
    assert "b.tif: holds several slices" in refusal(tmp_path)


@pytest.mark.parametrize("place", ["file", "folder"])
@pytest.mark.parametrize("options", [{}, {"planarconfig": "separate", "metadata": None}])
def test_colour_tiff(place: str, options: dict[str, Any], tmp_path: Path) -> None:
    pixels = np.zeros((20, 30, 3), np.uint8)
    pixels = pixels.transpose(2, 0, 1) if "planarconfig" in options else pixels
    tifffile.imwrite(tmp_path / "colour.tif", pixels, photometric="rgb", **options)
    sentence = refusal(tmp_path if place == "folder" else tmp_path / "colour.tif")
    assert "colour.tif: is a colour image (RGB, 3 samples a pixel); save it as a grey image." in sentence


def test_two_samples_a_pixel(tmp_path: Path) -> None:
    tifffile.imwrite(
        tmp_path / "s.tif", np.zeros((20, 30, 2), np.uint8), planarconfig="contig", extrasamples=["unassalpha"]
    )
    assert "2 samples a pixel" in refusal(tmp_path / "s.tif")


def test_channels_or_time_beside_z(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "s.tif", np.zeros((2, 3, 4, 20, 30), np.uint8), imagej=True)
    assert "s.tif: has axes (t, z, c, y, x) of length (2, 3, 4, 20, 30)" in refusal(tmp_path / "s.tif")
    nibabel.save(nibabel.Nifti1Image(np.zeros((5, 4, 3, 2), np.uint8), np.eye(4)), tmp_path / "s.nii")
    assert "s.nii: has axes (t, z, y, x) of length (2, 3, 4, 5)" in refusal(tmp_path / "s.nii")
    nrrd.write(str(tmp_path / "s.nrrd"), np.zeros((5, 4, 3, 2), np.uint8))
    assert "s.nrrd: has axes (axis 0, z, y, x) of length (2, 3, 4, 5)" in refusal(tmp_path / "s.nrrd")
    np.save(tmp_path / "s.npy", np.zeros((2, 3, 4, 5)))
    assert "s.npy: has axes (axis 0, z, y, x) of length (2, 3, 4, 5)" in refusal(tmp_path / "s.npy")


def test_colours_and_vectors_in_other_formats(tmp_path: Path) -> None:
    nrrd.write(str(tmp_path / "s.nrrd"), np.zeros((3, 9, 8), np.uint8), {"kinds": ["RGB-color", "domain", "domain"]})
    assert "s.nrrd: has an axis of kind 'RGB-color'" in refusal(tmp_path / "s.nrrd")
    SimpleITK.WriteImage(SimpleITK.Image([9, 8, 7], SimpleITK.sitkVectorUInt8, 3), str(tmp_path / "s.mha"))
    assert "s.mha: has several channels a voxel" in refusal(tmp_path / "s.mha")
    rgb = np.zeros((9, 8, 7), np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")]))
    nibabel.save(nibabel.Nifti1Image(rgb, np.eye(4)), tmp_path / "s.nii")
    assert "not grey values" in refusal(tmp_path / "s.nii")


@pytest.mark.parametrize("odd", [VOXELS[2][:, :13], VOXELS[2].astype(np.int16)])
def test_pages_of_different_size_or_type(odd: np.ndarray, tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "s.tif") as writer:
        for voxel_slice in (VOXELS[0], VOXELS[1], odd):
            writer.write(voxel_slice, photometric="minisblack")
    assert "s.tif: its pages differ" in refusal(tmp_path / "s.tif")


def test_one_compressed_page_for_all_slices(tmp_path: Path) -> None:
    grey(tmp_path / "s.tif", VOXELS, volumetric=True, tile=(16, 16, 16), compression="zlib")
    assert "s.tif: holds 1 pages for 7 slices; save it as one page a slice." in refusal(tmp_path / "s.tif")


@pytest.mark.parametrize("name", ["stack.xyz", "stack.jpg", "stack", "stack.mov"])
def test_unknown_suffix(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"something")
    sentence = refusal(tmp_path / name)
    for suffix in (
        ".tif",
        ".tiff",
        ".nii",
        ".nii.gz",
        ".nrrd",
        ".nhdr",
        ".mha",
        ".mhd",
        ".npy",
        ".h5",
        ".nxs",
        ".zarr",
    ):
        assert suffix in sentence


@pytest.mark.parametrize("suffix", [".tif", ".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd", ".npy", ".h5"])
def test_empty_and_foreign_files(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"s{suffix}"
    path.write_bytes(b"")
    assert f"s{suffix}: is empty (0 bytes)" in refusal(path)
    for content in (b"\0", b"<html>" * 400, np.random.default_rng(0).bytes(3000), b"II*\0", b"NRRD0004\n", b"\n\n"):
        path.write_bytes(content)
        assert f"s{suffix}: " in refusal(path)


def test_an_empty_slice_in_a_folder(tmp_path: Path) -> None:
    grey(tmp_path / "a.tif", VOXELS[0])
    (tmp_path / "b.tif").write_bytes(b"")
    assert "b.tif: is empty (0 bytes)" in refusal(tmp_path)


def nifti(path: Path) -> None:
    nibabel.save(nibabel.Nifti1Image(VOXELS.transpose(2, 1, 0), np.eye(4)), path)


def itk(path: Path) -> None:
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(VOXELS), str(path), "zip" in path.name)


def hdf5(path: Path, **options: Any) -> None:
    with h5py.File(path, "w") as file:
        file.create_dataset("/exchange/data", data=VOXELS, **options)


WHOLE_FILES: dict[str, Callable[[Path], object]] = {
    "slice.tif": lambda path: grey(path, VOXELS[0]),
    "raw.tif": lambda path: grey(path, VOXELS),
    "zip.tif": lambda path: grey(path, VOXELS, compression="zlib"),
    "big.tif": lambda path: grey(path, VOXELS, bigtiff=True),
    "be.tif": lambda path: grey(path, VOXELS, byteorder=">", compression="lzw"),
    "imagej.tif": lambda path: tifffile.imwrite(path, VOXELS, imagej=True),
    "imagej one directory.tif": lambda path: tifffile.imwrite(path, VOXELS, imagej=True, truncate=True),
    "raw.nii": nifti,
    "zip.nii.gz": nifti,
    "raw.nrrd": lambda path: nrrd.write(str(path), VOXELS, {"encoding": "raw"}),
    "zip.nrrd": lambda path: nrrd.write(str(path), VOXELS, {"encoding": "gzip"}),
    "bzip2.nrrd": lambda path: nrrd.write(str(path), VOXELS, {"encoding": "bzip2"}),
    "raw.mha": itk,
    "zip.mha": itk,
    "s.npy": lambda path: np.save(path, VOXELS),
    "raw.h5": lambda path: hdf5(path),
    "zip.h5": lambda path: hdf5(path, compression="gzip"),
}


@pytest.mark.parametrize("name", WHOLE_FILES)
def test_cut_short_anywhere(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    WHOLE_FILES[name](path)
    whole, voxels = path.read_bytes(), open_stack(path).read(0, open_stack(path).shape[0])
    for kept in {1, 3, 9, 60, *range(100, len(whole) - 60, len(whole) // 37), len(whole) - 60}:
        path.write_bytes(whole[:kept])
        assert name in refusal(path)
    path.write_bytes(whole[:-1])  # the last byte may be padding: then the stack is whole, else it is refused
    try:
        np.testing.assert_array_equal(open_stack(path).read(0, len(voxels)), voxels)
    except BadInput as refused:
        assert name in str(refused)


@pytest.mark.parametrize("name", ["slice.tif", "raw.tif", "imagej one directory.tif", "raw.nii", "raw.nrrd", "raw.mha"])
def test_cut_short_is_seen_when_opening(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    WHOLE_FILES[name](path)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(BadInput, match="is cut short"):
        open_stack(path)


def test_a_slice_cut_short_in_a_folder(tmp_path: Path) -> None:
    for z in range(4):
        grey(tmp_path / f"{z}.tif", VOXELS[z], compression="zlib" if z == 3 else None)
    (tmp_path / "3.tif").write_bytes((tmp_path / "3.tif").read_bytes()[:700])
    with pytest.raises(BadInput, match=r"3\.tif: is cut short"):
        open_stack(tmp_path)


@pytest.mark.parametrize("name", ["zip.nii.gz", "zip.nrrd", "bzip2.nrrd", "zip.mha", "zip.tif"])
def test_changed_bytes_within_compressed_voxels(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    WHOLE_FILES[name](path)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    assert name in refusal(path)


@pytest.mark.parametrize("from_end", [8, 1])
def test_the_checksum_at_the_end_of_gzip_counts(from_end: int, tmp_path: Path) -> None:
    """The last eight bytes are CRC and length: what they follow still decompresses."""
    path = tmp_path / "s.nii.gz"
    nifti(path)
    content = bytearray(path.read_bytes())
    content[-from_end] ^= 1
    path.write_bytes(content)
    assert "s.nii.gz: cannot read" in refusal(path)


@pytest.mark.parametrize("name", ["zip.nii.gz", "zip.nrrd", "bzip2.nrrd", "zip.mha"])
def test_a_stream_without_its_end_is_refused_although_all_voxels_are_there(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    WHOLE_FILES[name](path)
    path.write_bytes(path.read_bytes()[:-1])
    assert "the compressed data end" in refusal(path)


@pytest.mark.parametrize("place", ["file", "folder"])
def test_a_directory_cut_short_is_seen_before_tifffile_logs_about_it(
    place: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = grey(tmp_path / "s.tif", VOXELS[0], description="recon " * 100)
    path.write_bytes(path.read_bytes()[:300])  # amid the description, which lies behind the directory
    assert "s.tif: is cut short" in refusal(path if place == "file" else tmp_path)
    assert not caplog.records


def test_no_gzip_behind_the_suffix(tmp_path: Path) -> None:
    nifti(tmp_path / "s.nii")
    (tmp_path / "s.nii").rename(tmp_path / "s.nii.gz")
    assert "s.nii.gz: " in refusal(tmp_path / "s.nii.gz")
    (tmp_path / "t.nii").write_bytes(gzip.compress(b"t"))
    assert "t.nii: " in refusal(tmp_path / "t.nii")


def test_objects_are_never_unpickled(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (tmp_path / "unpickled",)

    np.save(tmp_path / "s.npy", np.array([[Trap()]], dtype=object), allow_pickle=True)
    np.array([[Trap()]], dtype=object).dump(tmp_path / "t.npy")
    assert "Python objects" in refusal(tmp_path / "s.npy")
    assert "t.npy" in refusal(tmp_path / "t.npy")
    assert not (tmp_path / "unpickled").exists()


@pytest.mark.parametrize("dtype", ["complex64", "U3", "datetime64[s]"])
def test_types_that_are_no_grey_values(dtype: str, tmp_path: Path) -> None:
    np.save(tmp_path / "s.npy", np.zeros((2, 3, 4), dtype))
    assert "s.npy: its voxels are of type" in refusal(tmp_path / "s.npy")


def test_complex_tiff_and_nifti(tmp_path: Path) -> None:
    grey(tmp_path / "s.tif", VOXELS.astype(np.complex64))
    nibabel.save(nibabel.Nifti1Image(VOXELS.astype(np.complex64), np.eye(4)), tmp_path / "s.nii")
    for name in ("s.tif", "s.nii"):
        assert "complex64, not grey values" in refusal(tmp_path / name)


@pytest.mark.parametrize("shape", [(5,), (), (0, 4, 5)])
def test_arrays_that_are_no_volume(shape: tuple[int, ...], tmp_path: Path) -> None:
    np.save(tmp_path / "s.npy", np.zeros(shape))
    assert "s.npy: " in refusal(tmp_path / "s.npy")


def test_headers_without_their_data(tmp_path: Path) -> None:
    nrrd.write(str(tmp_path / "s.nhdr"), VOXELS, {"encoding": "raw"})
    (tmp_path / "s.raw").unlink()
    assert "s.nhdr: its data file s.raw is missing" in refusal(tmp_path / "s.nhdr")
    itk(tmp_path / "t.mhd")
    (tmp_path / "t.raw").unlink()
    assert "t.mhd: its data file t.raw is missing" in refusal(tmp_path / "t.mhd")


@pytest.mark.parametrize("name", [r".\u.raw", r"C:\scan\u.raw", "/gone/u.raw"])
def test_a_header_that_names_its_data_elsewhere(name: str, tmp_path: Path) -> None:
    itk(tmp_path / "u.mhd")
    header = tmp_path / "u.mhd"
    header.write_text(header.read_text().replace("u.raw", name))
    assert f"its data file {name} is missing, which is beside it: write u.raw alone into the header" in refusal(header)
    header.write_text(header.read_text().replace(name, "u.raw"))
    np.testing.assert_array_equal(open_stack(header).read(0, len(VOXELS)), VOXELS)


def test_text_and_spread_voxels(tmp_path: Path) -> None:
    nrrd.write(str(tmp_path / "s.nrrd"), VOXELS, {"encoding": "ascii"})
    assert "s.nrrd: its encoding 'ascii' is not read" in refusal(tmp_path / "s.nrrd")
    head = "NRRD0004\ntype: uchar\ndimension: 3\nsizes: 2 3 4\nencoding: raw\n"
    (tmp_path / "t.nhdr").write_text(head + "data file: slice_%02d.raw 1 4 1\n")
    assert "t.nhdr: spreads its voxels over several data files" in refusal(tmp_path / "t.nhdr")
    (tmp_path / "l.nhdr").write_text(head + "data file: LIST 2\nslice_01.raw\nslice_02.raw\n")
    assert "l.nhdr: spreads its voxels over several data files" in refusal(tmp_path / "l.nhdr")
    head = "ObjectType = Image\nNDims = 3\nDimSize = 2 3 4\nElementType = MET_UCHAR\n"
    (tmp_path / "u.mhd").write_text(head + "ElementDataFile = LIST\nslice_1.raw\n")
    assert "u.mhd: spreads its voxels over several data files" in refusal(tmp_path / "u.mhd")
    (tmp_path / "v.mhd").write_text(head + "BinaryData = False\nElementDataFile = v.txt\n")
    assert "v.mhd: its voxels are text" in refusal(tmp_path / "v.mhd")


def test_a_file_that_vanishes_after_opening(tmp_path: Path) -> None:
    np.save(tmp_path / "s.npy", VOXELS)
    stack = open_stack(tmp_path / "s.npy")
    (tmp_path / "s.npy").unlink()
    with pytest.raises(BadInput, match=re.escape("s.npy: cannot read")):
        stack.read(0, 1)


def test_no_slab_height(tmp_path: Path) -> None:
    np.save(tmp_path / "s.npy", VOXELS)
    with pytest.raises(BadInput, match=r"s\.npy: cannot be cut into slabs of 0 slices"):
        slabs(open_stack(tmp_path / "s.npy"), 0)

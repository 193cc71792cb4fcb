"""What the writers refuse, and that nothing is left behind when they do."""

import errno
import os
from pathlib import Path

import numpy as np
import pytest

from custom.base.errors import BadInput
from custom.stack.writers import OUTPUT_FORMATS, open_writer

SHAPE = (12, 30, 40)
STACK = np.random.default_rng(3).integers(0, 256, SHAPE, "uint8")

each_format = pytest.mark.parametrize("output_format", OUTPUT_FORMATS)


def write(folder, output_format, stack=STACK, **options):
    with open_writer(folder / "mask", output_format, stack.shape, stack.dtype, None, **options) as writer:
        for start in range(0, len(stack), 5):
            writer.write(start, stack[start : start + 5])
    return writer.path


def content(path):
    return {file: file.read_bytes() for file in [path, *path.rglob("*")] if file.is_file()}


def test_unknown_format_names_those_there_are(tmp_path):
    with pytest.raises(BadInput, match="'tif'.*zarr, tiff, tiff_folder, nii.gz, nrrd"):
        open_writer(tmp_path / "mask", "tif", SHAPE, "uint8", None)


@each_format
def test_output_folder_is_a_file(tmp_path, output_format):
    (tmp_path / "out").write_text("notes")
    for folder in (tmp_path / "out", tmp_path / "out" / "deeper"):
        with pytest.raises(BadInput, match="out.*--output_dir"):
            open_writer(folder / "mask", output_format, SHAPE, "uint8", None)
    assert (tmp_path / "out").read_text() == "notes"


def refuse(path):
    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))


def test_output_folder_cannot_be_made(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "mkdir", lambda path, **options: refuse(path))
    with pytest.raises(BadInput, match=r"new cannot be made \(Permission denied\): .*--output_dir"):
        open_writer(tmp_path / "new" / "mask", "nrrd", SHAPE, "uint8", None)


@each_format
def test_output_folder_is_not_writable(tmp_path, output_format, monkeypatch):
    monkeypatch.setattr(Path, "touch", lambda path, **options: refuse(path))
    monkeypatch.setattr(Path, "mkdir", lambda path, **options: None if path == tmp_path else refuse(path))
    with pytest.raises(BadInput, match=rf"mask.*{tmp_path} \(Permission denied\): .*--output_dir"):
        open_writer(tmp_path / "mask", output_format, SHAPE, "uint8", None)
    assert list(tmp_path.iterdir()) == []


@each_format
def test_a_result_is_replaced_only_with_overwrite_and_only_when_complete(tmp_path, output_format):
    path = write(tmp_path, output_format)
    old = content(path)
    with pytest.raises(BadInput, match=r"mask.* already exists: give --overwrite true or another --output_dir"):
        open_writer(tmp_path / "mask", output_format, SHAPE, "uint8", None)
    with open_writer(tmp_path / "mask", output_format, SHAPE, "uint8", None, overwrite=True) as writer:
        writer.write(0, 255 - STACK)
        assert content(path) == old
    assert content(path) != old
    assert list(tmp_path.iterdir()) == [path]


@each_format
def test_a_result_that_appears_meanwhile_is_kept(tmp_path, output_format):
    writer = open_writer(tmp_path / "mask", output_format, SHAPE, "uint8", None)
    writer.write(0, STACK)
    writer.path.mkdir() if OUTPUT_FORMATS[output_format].folder else writer.path.write_text("of another run")
    with pytest.raises(BadInput, match="already exists"):
        writer.close()
    assert list(tmp_path.iterdir()) == [writer.path]


@each_format
def test_overwrite_does_not_replace_a_file_by_a_folder_nor_the_reverse(tmp_path, output_format):
    path = write(tmp_path / "other", output_format)
    final = tmp_path / path.name
    final.write_text("notes") if path.is_dir() else final.mkdir()
    with pytest.raises(BadInput, match="move it away"):
        write(tmp_path, output_format, overwrite=True)
    assert final.exists()


def test_nifti_refuses_an_axis_that_its_header_cannot_hold(tmp_path):
    with pytest.raises(BadInput, match="32767.*zarr, tiff or nrrd"):
        open_writer(tmp_path / "mask", "nii.gz", (2, 3, 32768), "uint8", None)
    assert list(tmp_path.iterdir()) == []
    write(tmp_path, "nii.gz", np.ones((1, 1, 32767), "uint8"))


@each_format
@pytest.mark.parametrize(
    ("start", "slab"),
    [
        (1, STACK[:2]),
        (0, STACK[:2, :-1]),
        (0, STACK[0]),
        (0, np.zeros((13, 30, 40), "uint8")),
        (0, STACK[:2].astype("int16")),
        (0, STACK[:0]),
    ],
    ids=["gap", "plane", "2-D", "too many", "dtype", "empty"],
)
def test_a_slab_that_does_not_follow_is_an_error(tmp_path, output_format, start, slab):
    writer = open_writer(tmp_path / "mask", output_format, SHAPE, "uint8", None)
    with pytest.raises(ValueError, match="mask"):
        writer.write(start, slab)
    writer.abort()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("voxel_size_um", [(1.0, 0.0, 1.0), (1.0, float("nan"), 1.0), (1.0, 1.0)])
def test_impossible_voxel_sizes(tmp_path, voxel_size_um):
    with pytest.raises(ValueError, match="three positive numbers"):
        open_writer(tmp_path / "mask", "nrrd", SHAPE, "uint8", voxel_size_um)


@pytest.mark.parametrize("dtype", ["bool", "float16", "complex64", "int64"])
def test_types_that_a_format_lacks(tmp_path, dtype):
    with pytest.raises(ValueError, match=dtype):
        open_writer(tmp_path / "mask", "nrrd", SHAPE, dtype, None)

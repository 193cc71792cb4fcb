"""Zarr and OME-Zarr written by zarr and ome-zarr: which array is taken, its axes and voxel size, and what is refused."""

import json
import logging
import shutil
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import zarr
from conftest import refusal
from ome_zarr.format import FormatV04, FormatV05
from ome_zarr.writer import write_image
from zarr.codecs import BytesCodec

from custom.stack import open_stack
from custom.stack.writers import open_writer

VOXELS = np.random.default_rng(0).integers(1, 1 << 16, (8, 12, 14), np.uint16)
ZYX_UM = (2.5, 1.25, 1.6)

each_version = pytest.mark.parametrize("version", [2, 3])


def array(path: Path, voxels: np.ndarray = VOXELS, **options: Any) -> Path:
    zarr.create_array(path, data=voxels, **{"chunks": (2,) * (voxels.ndim - 2) + (6, 7), **options})
    return path


def pyramid(path: Path, version: int, voxels: np.ndarray = VOXELS, axes: str = "zyx", unit: str = "micrometer") -> Path:
    sizes = dict(zip("zyx", ZYX_UM, strict=True))
    write_image(
        voxels,
        zarr.create_group(path, zarr_format=2 if version == 2 else 3),
        axes=axes,
        fmt=FormatV04() if version == 2 else FormatV05(),
        scale={axis: sizes.get(axis, 1.0) for axis in axes},
        axes_units={axis: unit for axis in axes if axis in "zyx"},
        scale_factors=[{axis: 2 if axis in "yx" else 1 for axis in axes}],
    )
    return path


def level_0(path: Path) -> str:
    attributes = dict(zarr.open_group(path, mode="r").attrs)
    described: Any = attributes.get("ome", attributes)
    return str(described["multiscales"][0]["datasets"][0]["path"])


def edit(path: Path, change: Callable[[Any], None]) -> None:
    """Change the multiscales metadata of a group."""
    group = zarr.open_group(path, mode="r+")
    attributes = dict(group.attrs)
    change((attributes.get("ome") or attributes)["multiscales"][0])
    group.attrs.put(attributes)


def chunk_files(path: Path) -> list[Path]:
    metadata = {"zarr.json", ".zarray", ".zattrs", ".zgroup", ".zmetadata"}
    return sorted(file for file in path.rglob("*") if file.is_file() and file.name not in metadata)


@each_version
@pytest.mark.parametrize("dtype", [">u2", ">f4", "<f8", "i1", "bool"])
def test_types(version: int, dtype: str, tmp_path: Path) -> None:
    voxels = (VOXELS // 512 + 1).astype(dtype)
    options = {"serializer": BytesCodec(endian="big")} if version == 3 and dtype[0] == ">" else {}
    read = open_stack(array(tmp_path / "s.zarr", voxels, zarr_format=version, **options)).read(0, 8)
    assert read.dtype.isnative
    np.testing.assert_array_equal(read, voxels)


@each_version
@pytest.mark.parametrize("name", ["s.zarr", "recon", "S.ZARR", "s.zarr.zip"])
def test_a_folder_is_zarr_by_its_suffix_or_by_what_is_in_it(version: int, name: str, tmp_path: Path) -> None:
    path = array(tmp_path / name.removesuffix(".zip"), zarr_format=version)
    if name.endswith(".zip"):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            for file in sorted(path.rglob("*")):
                archive.write(file, file.relative_to(path))
        shutil.rmtree(path)
        path = tmp_path / name
    stack = open_stack(path)
    assert (stack.shape, stack.dtype, stack.voxel_size_um) == (VOXELS.shape, VOXELS.dtype, None)
    np.testing.assert_array_equal(stack.read(3, 6), VOXELS[3:6])


def test_shards(tmp_path: Path) -> None:
    path = array(tmp_path / "s.zarr", shards=(4, 12, 14))
    np.testing.assert_array_equal(open_stack(path).read(3, 6), VOXELS[3:6])
    chunk_files(path)[1].write_bytes(chunk_files(path)[1].read_bytes()[:-9])
    assert "cannot read" in refusal(path)


def test_large_chunks_are_decoded_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = array(
        tmp_path / "s.zarr", np.random.default_rng(0).integers(0, 99, (8, 512, 512), "u1"), chunks=(8, 128, 128)
    )
    monkeypatch.setattr("custom.stack.zarr._BYTES_AT_ONCE", 1)
    stack = open_stack(path)
    stack.read(0, 1)
    tracemalloc.start()
    stack.read(0, 1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 512 * 512 + 5 * 8 * 128 * 128  # the slice, and a few of the 16 chunks


@each_version
def test_a_group_with_one_array_and_with_two(version: int, tmp_path: Path) -> None:
    group = zarr.create_group(tmp_path / "s.zarr", zarr_format=2 if version == 2 else 3)
    group.create_group("deep").create_array("raw", data=VOXELS)
    np.testing.assert_array_equal(open_stack(tmp_path / "s.zarr").read(0, 8), VOXELS)
    group.create_array("0", data=VOXELS + 1)
    sentence = refusal(tmp_path / "s.zarr")
    assert "holds 2 arrays where one is wanted; name one with --stack_key: " in sentence
    assert "deep/raw (8, 12, 14)" in sentence and "0 (8, 12, 14)" in sentence
    for key, voxels in (("deep/raw", VOXELS), ("deep", VOXELS), ("/0", VOXELS + 1), (0, VOXELS + 1)):
        np.testing.assert_array_equal(open_stack(tmp_path / "s.zarr", stack_key=key).read(0, 8), voxels)
    assert "has no array 1; name one with --stack_key: " in refusal(tmp_path / "s.zarr", stack_key=1)
    assert "is a single array and has no raw; leave --stack_key away" in refusal(
        tmp_path / "s.zarr" / "0", stack_key="raw"
    )


def test_a_group_without_arrays(tmp_path: Path) -> None:
    zarr.create_group(tmp_path / "s.zarr")
    assert "holds no arrays where one is wanted; there are no arrays" in refusal(tmp_path / "s.zarr")


@each_version
@pytest.mark.parametrize(("unit", "um"), [("micrometer", 1.0), ("nanometer", 0.001), ("millimeter", 1000.0)])
def test_ome_zarr(version: int, unit: str, um: float, tmp_path: Path) -> None:
    stack = open_stack(pyramid(tmp_path / "s.zarr", version, unit=unit))
    assert stack.voxel_size_um == pytest.approx([size * um for size in ZYX_UM])
    assert stack.voxel_size_source == "OME-Zarr metadata"
    np.testing.assert_array_equal(stack.read(0, 8), VOXELS)


@each_version
def test_ome_zarr_scale_of_all_levels_is_multiplied(version: int, tmp_path: Path) -> None:
    path = pyramid(tmp_path / "s.zarr", version)
    edit(path, lambda image: image.update(coordinateTransformations=[{"type": "scale", "scale": [2.0, 3.0, 4.0]}]))
    assert open_stack(path).voxel_size_um == pytest.approx((5.0, 3.75, 6.4))


@each_version
def test_ome_zarr_without_unit_or_scale_has_no_voxel_size(version: int, tmp_path: Path) -> None:
    path = pyramid(tmp_path / "s.zarr", version)
    edit(path, lambda image: image["datasets"][0].pop("coordinateTransformations"))
    assert open_stack(path).voxel_size_um is None
    path = pyramid(tmp_path / "t.zarr", version)
    edit(path, lambda image: image["axes"][0].pop("unit"))
    assert open_stack(path).voxel_size_um is None


@each_version
def test_levels_of_ome_zarr_by_key(version: int, tmp_path: Path) -> None:
    path = pyramid(tmp_path / "s.zarr", version)
    finest = level_0(path)
    coarser = next(name for name in zarr.open_group(path, mode="r").array_keys() if name != finest)
    assert open_stack(path, stack_key=finest).voxel_size_um == pytest.approx(ZYX_UM)
    coarse = open_stack(path, stack_key=coarser)
    assert (coarse.shape, coarse.voxel_size_um) == ((8, 6, 7), None)


@each_version
def test_ome_zarr_without_level_0(version: int, tmp_path: Path) -> None:
    path = pyramid(tmp_path / "s.zarr", version)
    finest = level_0(path)
    shutil.rmtree(path / finest)
    sentence = refusal(path)
    assert (
        f"its level 0, the array {finest}, is missing; copy or write it anew, or name one with --stack_key" in sentence
    )


@each_version
def test_ome_zarr_channels_and_times(version: int, tmp_path: Path) -> None:
    voxels = np.arange(3 * 2, dtype=np.uint16).reshape(3, 2, 1, 1, 1) + VOXELS // 2
    path = pyramid(tmp_path / "s.zarr", version, voxels, axes="tczyx")
    sentence = refusal(path)
    assert "has axes (t, c, z, y, x) of length (3, 2, 8, 12, 14) where (z, y, x) is wanted" in sentence
    assert 'choose one volume with --stack_index "[t,c]", t from 0 to 2 and c from 0 to 1.' in sentence
    stack = open_stack(path, stack_index=[2, 1])
    assert (stack.shape, stack.voxel_size_um) == (VOXELS.shape, pytest.approx(ZYX_UM))
    np.testing.assert_array_equal(stack.read(2, 5), voxels[2, 1, 2:5])
    assert "--stack_index 3,0 lies outside; choose" in refusal(path, stack_index=[3, 0])
    assert "--stack_index -1,0 lies outside; choose" in refusal(path, stack_index=[-1, 0])
    assert "--stack_index 1 does not fit, 2 axes are left beside z, y and x; choose" in refusal(path, stack_index=1)
    one_time = pyramid(tmp_path / "t.zarr", version, voxels[:1], axes="tczyx")
    for index in (1, [1], [0, 1]):  # the time of length 1 may be counted or not
        np.testing.assert_array_equal(open_stack(one_time, stack_index=index).read(0, 8), voxels[0, 1])
    no_choice = pyramid(tmp_path / "u.zarr", version, voxels[:1, :1], axes="tczyx")
    np.testing.assert_array_equal(open_stack(no_choice).read(0, 8), voxels[0, 0])
    assert "--stack_index 1 does not fit, no axis is left" in refusal(no_choice, stack_index=1)


def test_channels_of_one_slice_are_no_stack(tmp_path: Path) -> None:
    path = pyramid(tmp_path / "s.zarr", 3, VOXELS, axes="cyx")
    assert "has axes (c, y, x)" in refusal(path) and "--stack_index c, c from 0 to 7" in refusal(path)
    stack = open_stack(path, stack_index=5)
    assert stack.shape == (1, 12, 14)
    np.testing.assert_array_equal(stack.read(0, 1)[0], VOXELS[5])


def test_names_of_axes_decide_their_order(tmp_path: Path) -> None:
    stored = np.ascontiguousarray(VOXELS.transpose(2, 0, 1))
    version_3 = array(tmp_path / "s.zarr", stored, dimension_names=["x", "z", "y"])
    version_2 = array(tmp_path / "t.zarr", stored, zarr_format=2, attributes={"_ARRAY_DIMENSIONS": ["x", "z", "y"]})
    depth = array(tmp_path / "u.zarr", stored, dimension_names=["x", "depth", "y"])
    for path in (version_3, version_2, depth):
        np.testing.assert_array_equal(open_stack(path).read(3, 6), VOXELS[3:6])


@pytest.mark.parametrize("lithium", [0, 1])
def test_masks_of_this_project_open_again(lithium: int, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    mask = (VOXELS > 30000).astype(np.uint8) * lithium
    with open_writer(tmp_path / "mask", "zarr", mask.shape, "uint8", ZYX_UM) as writer:
        writer.write(0, mask)
    stack = open_stack(tmp_path / "mask.zarr")
    assert stack.voxel_size_um == ZYX_UM
    np.testing.assert_array_equal(stack.read(0, 8), mask)
    assert not caplog.records


@each_version
def test_half_written(version: int, tmp_path: Path) -> None:
    path = array(tmp_path / "s.zarr", zarr_format=version)
    files = chunk_files(path)
    assert len(files) == 16
    for file in files[10:]:  # four chunks in each of four layers of two slices
        file.unlink()
    sentence = refusal(path)
    assert "is half-written, it lacks 6 of the 16 chunks of its array and with them all slices from 6 on" in sentence
    for file in files[:10]:
        file.unlink()
    assert "is half-written, none of the 16 chunks of its array is there; copy or write it anew." in refusal(path)


@each_version
def test_chunks_that_are_empty_on_purpose(version: int, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    voxels = VOXELS.copy()
    voxels[:, :6, :7] = 0  # a corner outside of a round field of view
    path = array(tmp_path / "s.zarr", voxels, zarr_format=version)
    for _ in range(2):
        np.testing.assert_array_equal(open_stack(path).read(0, 8), voxels)
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "lacks 4 of the 16 chunks of its array, which are read as 0" in record.getMessage()
    mask = np.zeros(VOXELS.shape, np.uint8)
    mask[2, 3, 4] = 1
    np.testing.assert_array_equal(open_stack(array(tmp_path / "m.zarr", mask, zarr_format=version)).read(0, 8), mask)


def test_only_the_chunks_of_the_chosen_volume_count(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    both = np.stack([VOXELS, np.zeros_like(VOXELS)])
    path = array(tmp_path / "s.zarr", both, chunks=(1, 2, 6, 7))
    np.testing.assert_array_equal(open_stack(path, stack_index=0).read(0, 8), VOXELS)
    assert not caplog.records
    assert "none of the 16 chunks" in refusal(path, stack_index=1)


@each_version
@pytest.mark.parametrize("kept", [1, 10, -1])
def test_a_chunk_cut_short(version: int, kept: int, tmp_path: Path) -> None:
    path = array(tmp_path / "s.zarr", zarr_format=version)
    file = chunk_files(path)[5]
    file.write_bytes(file.read_bytes()[:kept])
    assert "s.zarr: cannot read slices 0 to 7" in refusal(path)
    file.write_bytes(b"")
    assert "s.zarr: is half-written, the chunk " in refusal(path)


@each_version
def test_without_metadata(version: int, tmp_path: Path) -> None:
    path = array(tmp_path / "s.zarr", zarr_format=version)
    metadata = path / ("zarr.json" if version == 3 else ".zarray")
    content = metadata.read_bytes()
    for damaged in (b"", content[:50], b"[]"):
        metadata.write_bytes(damaged)
        assert "s.zarr: " in refusal(path)
    metadata.unlink()
    assert "s.zarr: holds no Zarr metadata (zarr.json, .zarray, .zgroup), half-written perhaps; copy" in refusal(path)


def test_an_empty_folder_and_a_file_of_that_name(tmp_path: Path) -> None:
    (tmp_path / "s.zarr").mkdir()
    assert "holds no Zarr metadata" in refusal(tmp_path / "s.zarr")
    (tmp_path / "t.zarr").write_bytes(b"x")
    assert "is a file where a .zarr folder is wanted" in refusal(tmp_path / "t.zarr")
    (tmp_path / "u.zarr.zip").write_bytes(b"x" * 100)
    assert "cannot read" in refusal(tmp_path / "u.zarr.zip")


def test_an_unfinished_result(tmp_path: Path) -> None:
    path = array(tmp_path / ".mask.zarr.part-0123abcd")
    assert "is the unfinished part of a result; run the segmentation" in refusal(path)


@pytest.mark.parametrize("version", [2, 3])
def test_a_codec_that_is_not_installed(tmp_path: Path, version: Literal[2, 3]) -> None:
    path = tmp_path / "a.zarr"
    zarr.create_array(path, data=np.ones((4, 5, 6), np.uint8), zarr_format=version)
    header = path / ("zarr.json" if version == 3 else ".zarray")
    about = json.loads(header.read_text())
    if version == 2:
        about["compressor"] = {"id": "jpegxl"}
    else:
        about["codecs"][-1] = {"name": "jpegxl", "configuration": {}}
    header.write_text(json.dumps(about))
    assert "a.zarr: is compressed with jpegxl, which is not installed; pip install" in refusal(path)

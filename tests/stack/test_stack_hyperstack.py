"""ImageJ hyperstacks and other files with channels or times: one volume is chosen by index, none is guessed."""

from pathlib import Path
from typing import Any

import nibabel
import nrrd
import numpy as np
import pytest
import SimpleITK
import tifffile

from custom.base.errors import BadInput
from custom.stack import open_stack

T, Z, C, Y, X = 2, 5, 3, 8, 9
VOXELS = np.random.default_rng(0).integers(0, 1 << 16, (T, Z, C, Y, X), np.uint16)


def imagej(path: Path, voxels: np.ndarray = VOXELS, axes: str = "TZCYX", **options: Any) -> Path:
    metadata = {"axes": axes, "unit": "um", "spacing": 2.5}
    tifffile.imwrite(path, voxels, imagej=True, resolution=(1 / 1.6, 1 / 1.25), metadata=metadata, **options)
    return path


def refusal(path: Path, **options: Any) -> str:
    with pytest.raises(BadInput) as refused:
        open_stack(path, **options)
    sentence = str(refused.value)
    assert "\n" not in sentence and sentence.startswith(str(path)) and sentence.endswith(".")
    return sentence


@pytest.mark.parametrize(
    "options",
    [{}, {"compression": "zlib"}, {"compression": "lzw", "byteorder": "<"}, {"truncate": True}],
    ids=["raw", "zlib", "lzw little-endian", "one directory"],
)
def test_one_volume_of_an_imagej_hyperstack(options: dict[str, Any], tmp_path: Path) -> None:
    stack = open_stack(imagej(tmp_path / "s.tif", **options), stack_index=[1, 2])
    assert (stack.shape, stack.dtype) == ((Z, Y, X), np.uint16)
    assert stack.voxel_size_um == pytest.approx((2.5, 1.25, 1.6))
    for start, stop in ((0, Z), (3, 4), (1, 3)):
        np.testing.assert_array_equal(stack.read(start, stop), VOXELS[1, start:stop, 2])


@pytest.mark.parametrize("byteorder", ["<", ">"])
def test_channels_alone_and_times_alone(byteorder: Any, tmp_path: Path) -> None:
    channels = imagej(tmp_path / "c.tif", VOXELS[0], "ZCYX", byteorder=byteorder)
    np.testing.assert_array_equal(open_stack(channels, stack_index=1).read(0, Z), VOXELS[0, :, 1])
    assert "has axes (z, c, y, x) of length (5, 3, 8, 9)" in refusal(channels)
    assert "choose one volume with --stack_index c, c from 0 to 2." in refusal(channels)
    times = imagej(tmp_path / "t.tif", VOXELS[:, :, 0], "TZYX", byteorder=byteorder)
    np.testing.assert_array_equal(open_stack(times, stack_index=[1]).read(2, 4), VOXELS[1, 2:4, 0])
    assert "--stack_index 2 lies outside; choose one volume with --stack_index t, t from 0 to 1." in refusal(
        times, stack_index=2
    )


def test_channels_and_times_without_z_are_single_slices(tmp_path: Path) -> None:
    path = imagej(tmp_path / "s.tif", VOXELS[:, 0], "TCYX")
    assert '--stack_index "[t,c]"' in refusal(path)
    stack = open_stack(path, stack_index=(1, 2))
    assert stack.shape == (1, Y, X)
    np.testing.assert_array_equal(stack.read(0, 1)[0], VOXELS[1, 0, 2])


@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}])
def test_the_last_axis_without_a_meaning_is_z(options: dict[str, Any], tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "s.tif", VOXELS[:, :, 0], photometric="minisblack", **options)  # axes QQYX
    np.testing.assert_array_equal(open_stack(tmp_path / "s.tif", stack_index=1).read(1, 4), VOXELS[1, 1:4, 0])
    assert "has axes (q, z, y, x) of length (2, 5, 8, 9)" in refusal(tmp_path / "s.tif")


@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}, {"byteorder": ">"}])
def test_one_volume_of_an_ome_tiff(options: dict[str, Any], tmp_path: Path) -> None:
    metadata = {"axes": "TZCYX", "PhysicalSizeX": 1.6, "PhysicalSizeY": 1.25, "PhysicalSizeZ": 2.5}
    tifffile.imwrite(tmp_path / "s.ome.tif", VOXELS, ome=True, photometric="minisblack", metadata=metadata, **options)
    stack = open_stack(tmp_path / "s.ome.tif", stack_index=[1, 2])
    assert stack.voxel_size_um == pytest.approx((2.5, 1.25, 1.6))
    np.testing.assert_array_equal(stack.read(1, 4), VOXELS[1, 1:4, 2])
    assert "(t, z, c, y, x)" in refusal(tmp_path / "s.ome.tif")


@pytest.mark.parametrize("suffix", [".npy", "_F.npy", ".nii", ".nii.gz", ".nrrd", ".gz.nrrd", ".mha", ".zip.mha"])
def test_a_leading_axis_in_other_formats(suffix: str, tmp_path: Path) -> None:
    path, voxels = tmp_path / f"s{suffix}", np.ascontiguousarray(VOXELS[:, :, 0])
    if "npy" in suffix:
        np.save(path, np.asfortranarray(voxels) if "_F" in suffix else voxels)
    elif "nii" in suffix:
        nibabel.save(nibabel.Nifti1Image(voxels.transpose(3, 2, 1, 0), np.eye(4)), path)
    elif "nrrd" in suffix:
        nrrd.write(str(path), voxels, {"encoding": "gzip" if "gz" in suffix else "raw"}, index_order="C")
    else:
        SimpleITK.WriteImage(SimpleITK.GetImageFromArray(voxels, isVector=False), str(path), "zip" in suffix)
    for t in range(T):
        stack = open_stack(path, stack_index=t)
        assert stack.shape == (Z, Y, X)
        np.testing.assert_array_equal(stack.read(0, Z), voxels[t])
        np.testing.assert_array_equal(stack.read(2, 3), voxels[t, 2:3])
    name = "t" if "nii" in suffix else "axis 0"
    assert f"({name}, z, y, x) of length (2, 5, 8, 9)" in refusal(path)
    assert f"{name} from 0 to 1." in refusal(path, stack_index=2)


@pytest.mark.parametrize("index", ["one", 1.5, True, [], [0.5], {"c": 1}, "0"])
def test_what_is_no_index(index: Any, tmp_path: Path) -> None:
    np.save(tmp_path / "s.npy", VOXELS[:, :, 0])
    assert "is not usable; give one whole number, or several such as [0,1]." in refusal(
        tmp_path / "s.npy", stack_index=index
    )


def test_an_index_where_there_is_nothing_to_choose(tmp_path: Path) -> None:
    np.save(tmp_path / "s.npy", VOXELS[0, :, 0])
    sentence = "--stack_index 0 does not fit, no axis is left beside z, y and x; leave --stack_index away."
    assert sentence in refusal(tmp_path / "s.npy", stack_index=0)
    imagej(tmp_path / "s.tif", VOXELS[0, :, 0], "ZYX")
    assert sentence in refusal(tmp_path / "s.tif", stack_index=0)
    (tmp_path / "slices").mkdir()
    for z in range(Z):
        tifffile.imwrite(tmp_path / "slices" / f"{z}.tif", VOXELS[0, z, 0])
    assert sentence in refusal(tmp_path / "slices", stack_index=0)


def test_a_key_where_there_are_none(tmp_path: Path) -> None:
    np.save(tmp_path / "s.npy", VOXELS[0, :, 0])
    for path in (tmp_path, tmp_path / "s.npy"):
        assert "is of a format without keys; leave --stack_key /exchange/data away." in refusal(
            path, stack_key="/exchange/data"
        )

"""HDF5 datasets written by h5py: which one is taken, what its axes are called, and what is refused."""

import logging
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from conftest import refusal

from custom.stack import open_stack

VOXELS = np.random.default_rng(0).integers(0, 1 << 16, (7, 11, 13), np.uint16)
AXISTAGS = '{{"axes": [{}]}}'


def written(path: Path, key: str = "/exchange/data", voxels: np.ndarray = VOXELS, **options: Any) -> Path:
    with h5py.File(path, "a") as file:
        file.create_dataset(key, data=voxels, **options)
    return path


@pytest.mark.parametrize("suffix", [".h5", ".hdf5", ".HDF", ".nxs"])
def test_exchange_data_is_the_usual_dataset(suffix: str, tmp_path: Path) -> None:
    path = written(tmp_path / f"recon{suffix}")
    written(path, "/exchange/other", VOXELS[:2])
    stack = open_stack(path)
    assert (stack.shape, stack.dtype, stack.voxel_size_um) == (VOXELS.shape, VOXELS.dtype, None)
    np.testing.assert_array_equal(stack.read(2, 6), VOXELS[2:6])


@pytest.mark.parametrize("dtype", [">u2", ">f4", "<f8", "i1", "<u8", "f2", "bool"])
def test_types(dtype: str, tmp_path: Path) -> None:
    voxels = (VOXELS // 512).astype(dtype)
    read = open_stack(written(tmp_path / "s.h5", voxels=voxels)).read(0, 7)
    assert read.dtype.isnative
    np.testing.assert_array_equal(read, voxels)


@pytest.mark.parametrize(
    "options", [{"compression": "gzip"}, {"compression": "lzf", "shuffle": True}, {"chunks": True}]
)
def test_chunks_and_compression(options: dict[str, Any], tmp_path: Path) -> None:
    stack = open_stack(written(tmp_path / "s.h5", **options))
    np.testing.assert_array_equal(stack.read(3, 5), VOXELS[3:5])


def test_a_key_names_another_dataset(tmp_path: Path) -> None:
    path = written(written(tmp_path / "s.h5"), "volumes/raw", VOXELS + 1)
    for key in ("volumes/raw", "/volumes/raw"):
        np.testing.assert_array_equal(open_stack(path, stack_key=key).read(0, 7), VOXELS + 1)
    np.testing.assert_array_equal(open_stack(written(path, "0"), stack_key=0).read(0, 7), VOXELS)


def test_without_the_key_those_that_are_there_are_listed(tmp_path: Path) -> None:
    path = written(written(tmp_path / "s.h5", "volumes/raw"), "angles", VOXELS[0, 0])
    written(path, "notes", np.bytes_("text"))
    listed = "has no dataset /exchange/data; name one with --stack_key: /volumes/raw (7, 11, 13)."
    assert refusal(path).endswith(listed)
    assert "has no dataset volumes; name one" in refusal(path, stack_key="volumes")
    assert "has no dataset /exchange/data; name one with --stack_key: /a (2,)." in refusal(
        written(tmp_path / "t.h5", "a", np.zeros(2))
    )
    h5py.File(tmp_path / "u.h5", "w").close()
    assert "there are no arrays of numbers in it, so give another file." in refusal(tmp_path / "u.h5")
    for n in range(20):
        written(path, f"more/{n:02}", VOXELS[:1])
    assert refusal(path).endswith("(1, 11, 13) and 9 more.")


def test_element_size_um(tmp_path: Path) -> None:
    path = written(tmp_path / "s.h5")
    with h5py.File(path, "a") as file:
        file["/exchange/data"].attrs["element_size_um"] = [2.5, 1.25, 1.6]
    stack = open_stack(path)
    assert stack.voxel_size_um == (2.5, 1.25, 1.6)
    assert stack.voxel_size_source == "HDF5 attribute element_size_um of /exchange/data"


def test_dataset_and_group_contradict_each_other(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = written(tmp_path / "s.h5")
    with h5py.File(path, "a") as file:
        file["/exchange/data"].attrs["element_size_um"] = [1.33] * 3
        file["/exchange"].attrs["element_size_um"] = [2.66] * 3
    assert open_stack(path).voxel_size_um == (1.33, 1.33, 1.33)
    assert "1.33 x 1.33 x 1.33 um" in caplog.text and "2.66 x 2.66 x 2.66 um" in caplog.text


@pytest.mark.parametrize("named_by", ["axistags", "dimension labels"])
def test_named_axes_are_put_in_order(named_by: str, tmp_path: Path) -> None:
    stored = np.stack([VOXELS, VOXELS + 1], axis=-1).transpose(2, 1, 0, 3)  # x, y, z, c
    path = written(tmp_path / "s.h5", voxels=stored)
    with h5py.File(path, "a") as file:
        dataset = file["/exchange/data"]
        if named_by == "axistags":
            dataset.attrs["axistags"] = AXISTAGS.format(", ".join(f'{{"key": "{axis}"}}' for axis in "xyzc"))
        else:
            for dimension, axis in zip(dataset.dims, "xyzc", strict=True):
                dimension.label = axis
    stack = open_stack(path, stack_index=1)
    assert stack.shape == VOXELS.shape
    np.testing.assert_array_equal(stack.read(2, 6), VOXELS[2:6] + 1)
    assert "has axes (x, y, z, c) of length (13, 11, 7, 2)" in refusal(path)
    assert "choose one volume with --stack_index c, c from 0 to 1." in refusal(path)


def test_projections_by_name_are_taken_with_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = written(tmp_path / "s.h5")
    with h5py.File(path, "a") as file:
        file["/exchange/data"].attrs["axes"] = "theta:y:x"
    for _ in range(2):
        assert open_stack(path).shape == VOXELS.shape
    (record,) = caplog.records
    assert record.levelno == logging.WARNING and "theta, as in projections" in record.getMessage()


def test_axes_of_length_one_and_further_axes_without_names(tmp_path: Path) -> None:
    np.testing.assert_array_equal(
        open_stack(written(tmp_path / "s.h5", voxels=VOXELS[None, ..., None])).read(1, 3), VOXELS[1:3]
    )
    path = written(tmp_path / "t.h5", voxels=np.stack([VOXELS, VOXELS + 1]))
    assert "(axis 0, z, y, x) of length (2, 7, 11, 13)" in refusal(path)
    assert "--stack_index axis_0, axis 0 from 0 to 1." in refusal(path)
    np.testing.assert_array_equal(open_stack(path, stack_index=1).read(0, 7), VOXELS + 1)


def test_datasets_that_are_no_grey_volume(tmp_path: Path) -> None:
    path = written(tmp_path / "s.h5", voxels=VOXELS.astype(np.complex64))
    assert "not grey values" in refusal(path)
    assert "holds no voxels" in refusal(written(path, "none", np.zeros((0, 3, 4))), stack_key="none")
    assert "has 1 axes" in refusal(written(path, "row", np.zeros(3)), stack_key="row")


def test_changed_bytes_within_compressed_voxels(tmp_path: Path) -> None:
    path = written(tmp_path / "s.h5", compression="gzip", fletcher32=True)
    with h5py.File(path) as file:
        place = file["/exchange/data"].id.get_chunk_info(0).byte_offset
    content = bytearray(path.read_bytes())
    content[place + 20] ^= 0xFF
    path.write_bytes(content)
    assert "cannot read slices 0 to 6" in refusal(path)

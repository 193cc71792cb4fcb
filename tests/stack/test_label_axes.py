"""A label whose file has no names for its axes, beside an image whose file has."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
import tifffile

from custom.data.doubts import tell_doubts
from custom.stack.source import LABEL, Source


def image(path: Path, shape: tuple[int, int, int], names: str) -> Source:
    with h5py.File(path, "w") as file:
        data = file.create_dataset("exchange/data", data=np.zeros(shape, np.uint16))
        for dimension, name in zip(data.dims, names, strict=True):
            dimension.label = name
    return Source(str(path))


def saved(path: Path, label: np.ndarray) -> Path:
    if path.suffix == ".h5":
        with h5py.File(path, "w") as file:
            file["exchange/data"] = label
    elif path.suffix == ".npy":
        np.save(path, label)
    else:
        tifffile.imwrite(path, label)
    return path


@pytest.mark.parametrize("names", ["yzx", "yxz", "xyz"])
@pytest.mark.parametrize("name", ["label.h5", "label.npy", "label.tif"])
def test_it_has_the_order_of_its_image(names: str, name: str, tmp_path: Path) -> None:
    label = np.random.default_rng(0).integers(0, 2, (6, 7, 8), np.uint8)
    grid = image(tmp_path / "image.h5", label.shape, names)
    found = Source(str(saved(tmp_path / name, label)), LABEL, grid=grid).open()
    assert found.shape == grid.open().shape and not found.doubt
    expected = np.einsum(f"{names}->zyx", label)
    np.testing.assert_array_equal(found.read(0, found.shape[0]), expected)
    np.testing.assert_array_equal(found.read(1, 3), expected[1:3])


def test_one_that_fits_as_it_is_stays(tmp_path: Path) -> None:
    label = np.random.default_rng(0).integers(0, 2, (7, 6, 8), np.uint8)
    grid = image(tmp_path / "image.h5", (6, 7, 8), "yzx")
    found = Source(str(saved(tmp_path / "label.h5", label)), LABEL, grid=grid).open()
    np.testing.assert_array_equal(found.read(0, 7), label)


def test_one_that_fits_both_ways_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    label = np.random.default_rng(0).integers(0, 2, (6, 6, 8), np.uint8)
    grid = image(tmp_path / "image.h5", label.shape, "yzx")
    found = Source(str(saved(tmp_path / "label.h5", label)), LABEL, grid=grid).open()
    np.testing.assert_array_equal(found.read(0, 6), label)
    tell_doubts([found])
    assert "are stored as y, z, x, and it fits either way" in caplog.text and "label.dims[0].label = 'z'" in caplog.text


def test_names_of_its_own_count(tmp_path: Path) -> None:
    grid = image(tmp_path / "image.h5", (6, 7, 8), "yzx")
    image(tmp_path / "label.h5", (8, 7, 6), "xzy")
    found = Source(str(tmp_path / "label.h5"), LABEL, grid=grid).open()
    assert found.shape == (7, 6, 8)

"""Stored values become labels: the nearest that the file can mean, or nothing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

from custom.base.errors import BadInput
from custom.stack import LabelStack, as_labels, open_stack

WANTED = np.random.default_rng(0).choice(np.array([0, 1, 255], np.uint8), (4, 5, 6))


@pytest.mark.parametrize("dtype", ["bool", "i1", "u1", "i2", ">u2", "i4", "u4", "i8", "u8", "f2", "f4", ">f8"], ids=str)
def test_types(tmp_path: Path, dtype: str) -> None:
    wanted = WANTED % 2 if dtype in ("bool", "i1") else WANTED
    np.save(tmp_path / "a.npy", wanted.astype(dtype))
    stack = LabelStack(open_stack(tmp_path / "a.npy"))
    assert stack.dtype == np.uint8 and stack.read(1, 3).dtype == np.uint8
    np.testing.assert_array_equal(stack.read(1, 3), wanted[1:3])


@pytest.mark.parametrize("factor", [np.float32(0.9999999), np.float32(1.0000001), np.float64(1) - 1e-12])
def test_nearly_whole(factor: np.floating[Any]) -> None:
    np.testing.assert_array_equal(as_labels(WANTED * factor), WANTED)


@pytest.mark.parametrize(
    ("most", "dtype", "code"), [(2, np.uint8, 127), (3, np.int16, 10922), (1, np.int32, 2**31 - 1)]
)
def test_a_slope_bent_the_labels(tmp_path: Path, most: int, dtype: type[np.generic], code: int) -> None:
    """As nibabel stores floats from 0 to `most` over all integers of a type: 1 reads .996, .99997 or 1.00000003."""
    labels = WANTED % 2
    image = nibabel.Nifti1Image((labels.T * np.intp(code)).astype(dtype), np.eye(4))
    image.header.set_slope_inter(most / np.iinfo(dtype).max, 0.0)
    nibabel.save(image, tmp_path / "a.nii")
    stack = open_stack(tmp_path / "a.nii")
    assert not np.isin(stack.read(0, 4), (0, 1)).all()  # else this shows nothing
    np.testing.assert_array_equal(LabelStack(stack).read(0, 4), labels)


@pytest.mark.parametrize(
    ("largest", "dtype", "slope"),
    [(4, np.uint8, 4 / 255), (65535, np.uint16, np.float32(1.0000001)), (40_000, np.int32, 40_000 / (2**31 - 1))],
)
def test_a_slope_bent_the_values_of_a_tool(tmp_path: Path, largest: int, dtype: type[np.generic], slope: float) -> None:
    values = np.random.default_rng(2).choice([0, 1, 3, largest], WANTED.shape)
    image = nibabel.Nifti1Image(np.rint(values.T / slope).astype(dtype), np.eye(4))
    image.header.set_slope_inter(slope, 0.0)
    nibabel.save(image, tmp_path / "a.nii")
    assert not np.isin(open_stack(tmp_path / "a.nii").read(0, 4), values).all()  # else this shows nothing
    label = LabelStack(open_stack(tmp_path / "a.nii"), label_map=[(0, 0), (1, 2), (3, 255), (largest, 1)])
    np.testing.assert_array_equal(
        label.read(0, 4), np.select([values == 1, values == 3, values == largest], [2, 255, 1])
    )


def test_large_values_that_a_float_bent() -> None:
    """By a product in float32, which is .004 apart near 65535; float16 ends before that."""
    label_map = [(0, 0), (1, 2), (40_000, 3), (65_535, 4)]
    large = np.array([0, 1, 40_000, 65_535], np.float32) * np.float32(1.0000001)
    assert as_labels(large, label_map=label_map).tolist() == [0, 2, 3, 4]
    assert as_labels(np.array([0, 1, 40_000], np.float16), label_map=label_map).tolist() == [0, 2, 3]


def test_a_third_class_behind_a_slope(tmp_path: Path) -> None:
    image = nibabel.Nifti1Image((WANTED % 3).T.astype(np.float64), np.eye(4))
    image.header.set_data_dtype(np.uint8)
    image.dataobj[0, 0, 0] = 2
    nibabel.save(image, tmp_path / "a.nii.gz")
    with pytest.raises(BadInput, match="holds the value 2 in slice 0"):
        LabelStack(open_stack(tmp_path / "a.nii.gz")).read(0, 4)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (np.float32(0.99), "the value 0.99 "),
        (np.float32(0.9996), "the value 0.9996 "),
        (np.float64(254.6), "the value 254.6 "),
        (np.float32(-1), "the value -1 "),
        (np.int8(-1), "the value -1 "),
        (np.int64(2**40 + 1), "the value 1099511627777 "),
        (np.uint64(2**64 - 255), "the value 18446744073709551361 "),
        (np.float32(np.inf), "the value inf "),
        (np.float16(np.nan), "1 voxels of slice 3 are NaN"),
    ],
)
def test_no_label(value: np.generic, words: str) -> None:
    values = np.zeros((3, 4), value.dtype)
    values[1, 2] = value
    with pytest.raises(BadInput) as refused:
        as_labels(values, path="x/a.tif", z=3)
    assert words in str(refused.value) and str(refused.value).startswith("x/a.tif: ")


@pytest.mark.parametrize(
    ("values", "example"),
    [
        ([0, 65535], "{'65535': 'lithium'}"),
        ([1, 2], "{'1': 'background', '2': 'lithium'}"),
        ([0, 1, 2], "{'1': 'lithium', '2': 255}"),
        ([0, 1, -1], "{'1': 'lithium', '-1': 255}"),
    ],
)
def test_the_example_fits_what_a_slice_holds(values: list[int], example: str) -> None:
    with pytest.raises(BadInput, match=re.escape(f'as with --label_map "{example}"')):
        as_labels(np.array([values]), path="a.tif", z=0)


def test_labels_of_single_objects_are_called_that() -> None:
    """As of SimpleITK.ConnectedComponent, Cellpose and scikit-image: a map of every value is no cure."""
    objects = np.arange(40, dtype=np.uint16).reshape(5, 8)
    with pytest.raises(
        BadInput, match=r"holds 40 different values in slice 0, up to 39, .* \(label > 0\).astype\('uint8'\)"
    ):
        as_labels(objects)
    few = np.where(objects > 34, objects, 0)
    with pytest.raises(BadInput, match="holds the value 35 in slice 0; .* as with --label_map"):
        as_labels(few)

"""A copy of a slice is known by what it holds, whatever its name, type and format."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pytest
import tifffile

from custom.data.digest import add_digests, digest

PLANE = np.random.default_rng(0).integers(0, 250, (20, 30)).astype(np.uint8)


@pytest.mark.parametrize("dtype", ["uint16", ">u2", "int32", "float32", "<f8"])
def test_the_type_does_not_count(dtype: str) -> None:
    assert digest(PLANE.astype(dtype)) == digest(PLANE)


def test_values_and_size_count() -> None:
    other = PLANE.astype(np.float32)
    other[3, 4] += 0.25
    planes = (PLANE, other, PLANE.T, PLANE[::-1], PLANE - 300.0, PLANE.reshape(30, 20), PLANE * 257.0)
    assert len({digest(plane) for plane in planes}) == len(planes)
    assert {len(digest(plane)) for plane in planes} == {12}


def test_slices_of_one_value_are_no_copies_of_each_other() -> None:
    assert digest(np.zeros((4, 5))) == digest(np.full((4, 5), 7, np.uint16)) == digest(np.full((4, 5), np.nan)) == ""
    half = np.full((4, 5), np.nan)
    half[0, 0] = 1
    assert digest(half) == digest(half.astype(np.float32)) != ""


def test_the_format_does_not_count(tmp_path: Path) -> None:
    volume = np.stack([PLANE, PLANE[::-1]])
    tifffile.imwrite(tmp_path / "a.tif", volume, photometric="minisblack")
    np.save(tmp_path / "b.npy", volume.astype(np.float64))
    nibabel.save(nibabel.Nifti1Image(volume.T.astype(np.int16), np.eye(4)), tmp_path / "c.nii.gz")
    items = [{"image": str(tmp_path / name), "z": z} for name in ("a.tif", "b.npy", "c.nii.gz") for z in (0, 1)]
    add_digests(items)
    assert [item["digest"] for item in items] == [digest(PLANE), digest(PLANE[::-1])] * 3

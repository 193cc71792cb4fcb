"""A region as a stack: what it says of its voxels, and how it is opened or refused."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from custom.base.errors import BadInput
from custom.region.opening import open_stack_or_region
from custom.region.region_stack import RegionStack
from custom.stack import fingerprint
from custom.stack.writers import open_writer

TILTED = {
    "yx": [[12, 10], [15, 148], [143, 145], [140, 7]],
    "zx": [[1, 10], [4, 148], [11, 148], [8, 10]],
    "zy": [[2, 12], [3, 141], [10, 143], [9, 14]],
}


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """A NIfTI file that lies askew in space, of anisotropic voxels."""
    grey = np.random.default_rng(0).integers(0, 60000, (13, 160, 160)).astype(np.uint16)
    turn = np.array([[0.8, -0.6, 0], [0.6, 0.8, 0], [0, 0, 1]]) @ np.diag([0.002, 0.002, 0.003])
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = turn, (0.1, -0.2, 0.3)
    image = nib.Nifti1Image(grey.T, affine)
    image.header.set_xyzt_units("mm")
    nib.save(image, tmp_path / "raw.nii")
    (tmp_path / "region.json").write_text(json.dumps({"corners": TILTED}))
    return tmp_path / "raw.nii"


@pytest.mark.parametrize("output_format", ["nii.gz", "nrrd", "zarr"])
def test_it_lies_where_its_voxels_were(output_format: str, raw: Path, tmp_path: Path) -> None:
    """Written slab by slab and opened again, a voxel is where the raw one is that the map leads to."""
    stack = open_stack_or_region(raw, tmp_path / "region.json")
    assert isinstance(stack, RegionStack) and stack.dtype == np.uint16
    with open_writer(
        tmp_path / "again", output_format, stack.shape, stack.dtype, stack.voxel_size_um, place=stack.place
    ) as writer:
        for start in range(0, stack.shape[0], 4):
            writer.write(start, stack.read(start, min(start + 4, stack.shape[0])))
    again, before = open_stack_or_region(tmp_path / f"again.{output_format}"), open_stack_or_region(raw)
    points = np.random.default_rng(1).uniform(0, 1, (20, 3)) * (np.array(stack.shape) - 1)
    there = stack.region.map().forward(points)
    places = [np.insert(p[:, ::-1], 3, 1, axis=1) @ one.affine.T for p, one in ((points, again), (there, before))]
    np.testing.assert_allclose(*places, atol=2e-4)  # what the corners' perspective leaves to the affine part
    np.testing.assert_allclose(again.voxel_size_um, stack.voxel_size_um, rtol=1e-5)
    np.testing.assert_allclose(again.read(0, 3), stack.read(0, 3))


def test_a_region_of_a_stack_without_a_size_has_none(tmp_path: Path) -> None:
    np.save(tmp_path / "raw.npy", np.zeros((13, 160, 160), np.int16))
    (tmp_path / "region.json").write_text(json.dumps({"corners": TILTED}))
    stack = open_stack_or_region(tmp_path / "raw.npy", tmp_path / "region.json")
    assert stack.voxel_size_um is None and stack.place is not None and not stack.place.known
    before = fingerprint(stack)
    (tmp_path / "region.json").write_text(json.dumps({"corners": TILTED, "fill": 3}))
    assert fingerprint(open_stack_or_region(tmp_path / "raw.npy", tmp_path / "region.json")) != before


def test_several_stacks_need_their_region(raw: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="give its region.json with --region"):
        open_stack_or_region([raw, raw])
    with pytest.raises(BadInput, match="is given twice"):
        open_stack_or_region([raw, raw], tmp_path / "region.json")
    with pytest.raises(BadInput, match="empty list"):
        open_stack_or_region([])

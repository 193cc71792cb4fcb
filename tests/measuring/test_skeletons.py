"""Middle lines of bodies whose length and tips are known."""

from __future__ import annotations

import csv
from pathlib import Path

import cli
import numpy as np
import pytest
import tifffile

from custom.measuring.skeletons import length_and_tips


def branched(arms: int) -> np.ndarray:
    """A trunk along y with arms of 20 voxels that leave it at right angles, all three voxels thick."""
    body = np.zeros((60, 100, 60), bool)
    body[29:32, 5:95, 29:32] = True
    for n in range(arms):
        y = 20 + 15 * n
        body[29:32, y : y + 3, 31:52] = True
    return body


@pytest.mark.parametrize("arms", [0, 1, 4])
@pytest.mark.parametrize("size", [(1.0, 1.0, 1.0), (2.0, 1.0, 0.5)])
def test_a_trunk_with_arms(arms: int, size: tuple[float, float, float]) -> None:
    length, tips = length_and_tips(branched(arms), size)
    assert tips == 2 + arms
    assert length == pytest.approx(88 * size[1] + arms * 20.5 * size[2], rel=0.05)


def test_a_dot_has_no_length() -> None:
    body = np.zeros((5, 5, 5), bool)
    body[2, 2, 2] = True
    assert length_and_tips(body, (1, 1, 1)) == (0.0, 1)


def test_the_largest_ones_have_columns(tmp_path: Path) -> None:
    mask = np.zeros((130, 100, 60), np.uint8)
    mask[60:120] = branched(2)
    mask[5:8, 5:60, 10:13] = mask[20:23, 20:23, 20:23] = 1
    tifffile.imwrite(tmp_path / "mask.tif", mask)
    how = {"mask": tmp_path / "mask.tif", "skeletons": 2, "slab_height": 7, "output_dir": tmp_path / "out"}
    result = cli.run("measure", **how)
    assert result.code == 0, result.error
    with (tmp_path / "out/agglomerates.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["tips"] for row in rows] == ["4", "2", ""]
    assert [float(row["skeleton_length_voxels"] or 0) for row in rows] == pytest.approx([88 + 41, 53, 0], rel=0.05)

"""Lithium labelled where the image is filled: told once, and not counted."""

from __future__ import annotations

from pathlib import Path

import cli
import numpy as np
import pytest
import tifffile

from custom.data.labelled import labelled_slices


@pytest.mark.parametrize("lithium", [1, 255])
def test_lithium_outside_the_reconstruction(lithium: int, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    grey = cli.volume((3, 60, 70))
    grey[1:, :20] = 0
    label = np.zeros_like(grey, np.uint8)
    label[:, 15:25, 10:20] = lithium
    for kind, voxels in (("images", grey), ("labels", label)):
        (tmp_path / kind).mkdir()
        tifffile.imwrite(tmp_path / kind / "cell.tif", voxels, photometric="minisblack")
    assert [item["lithium"] for item in labelled_slices(tmp_path)] == [100, 50, 50]
    (told,) = [record.getMessage() for record in caplog.records if "labelled lithium lie" in record.getMessage()]
    assert told.startswith(
        f"{tmp_path / 'labels/cell.tif'}: 100 voxels labelled lithium lie outside the reconstruction"
    )


def test_lithium_within_it_is_not_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = cli.labelled_stack(tmp_path / "set")
    assert all(item["lithium"] for item in labelled_slices(folder))
    assert "outside the reconstruction" not in caplog.text

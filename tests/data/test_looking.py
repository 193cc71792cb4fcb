"""What is known of labelled slices: lithium where the image is filled is told once, and not counted."""

from __future__ import annotations

from pathlib import Path

import cli
import numpy as np
import pytest
import tifffile

from custom.data.labelled import labelled_slices
from custom.data.split import split_dataset
from custom.stack import Stack
from custom.stack.labels import LabelStack


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


@pytest.mark.parametrize("flat", [False, True])
def test_an_image_is_read_once_for_its_window_and_once_for_all_else(
    flat: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Floats with a surround and a NaN: each of these once took readings of its own."""
    grey = cli.volume((6, 60, 70)).astype(np.float32)
    label = (grey > np.percentile(grey, 80)).astype(np.uint8)
    grey[:, :10] = 0
    grey[2, 30, 30] = np.nan
    for kind, voxels in (("images", grey), ("labels", label)):
        (tmp_path / kind).mkdir()
        for name, part in {f"{z}.tif": voxels[z] for z in range(6)}.items() if flat else [("cell.tif", voxels)]:
            tifffile.imwrite(tmp_path / kind / name, part, compression="zlib", photometric="minisblack")
    read = {"images": 0, "labels": 0}
    reading = Stack.read

    def counting(stack: Stack, start: int, stop: int) -> np.ndarray:
        read[stack.path.parent.name] += (stop - start) * (not isinstance(stack, LabelStack))
        return reading(stack, start, stop)

    monkeypatch.setattr(Stack, "read", counting)
    split = split_dataset(tmp_path)
    # single slices are looked at once more, for those of other scales
    assert read == {"images": 18 if flat else 12, "labels": 12}
    assert all(len(item["digest"]) == 12 for side in split.values() for item in side)

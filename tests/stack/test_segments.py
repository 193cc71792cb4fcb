"""Files of segments as 3D Slicer writes them, by pynrrd."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nrrd
import numpy as np
import pytest

from custom.base.errors import BadInput
from custom.stack import open_stack
from custom.stack.segments import GrownStack, Segment, SegmentStack

STEP = np.eye(3) * [1.0, 1.5, 2.0]


def save(path: Path, layers: list[np.ndarray], segments: list[Segment], encoding: str = "gzip") -> SegmentStack:
    """Layers (z, y, x) in one file, an axis of its own where they are several."""
    header: dict[str, Any] = {"space": "left-posterior-superior", "space origin": [0, 0, 0], "encoding": encoding}
    for n, segment in enumerate(segments):
        about = {"Name": segment.name, "LabelValue": segment.value, "Layer": segment.layer, "Extent": "0 1 0 1 0 1"}
        header |= {f"Segment{n}_{key}": str(value) for key, value in about.items()}
    header["Segmentation_ReferenceImageExtentOffset"] = "3 2 1"
    voxels = layers[0].T
    if len(layers) > 1:
        voxels = np.stack([layer.T for layer in layers])
        header |= {"kinds": ["list", "domain", "domain", "domain"], "space directions": np.vstack([[np.nan] * 3, STEP])}
    else:
        header |= {"kinds": ["domain"] * 3, "space directions": STEP}
    nrrd.write(str(path), voxels, header)
    stack = open_stack(path, labels=True)
    assert isinstance(stack, SegmentStack)
    return stack


@pytest.mark.parametrize("encoding", ["raw", "gzip"])
def test_layers_become_one_volume(tmp_path: Path, encoding: str) -> None:
    rng = np.random.default_rng(0)
    where = rng.integers(0, 4, (5, 20, 30))
    segments = [Segment("lithium", 1, 0), Segment("film", 2, 0), Segment("background", 1, 1)]
    first, second = np.where(where < 3, where, 0).astype(np.uint8), (where == 3).astype(np.uint8)
    stack = save(tmp_path / "a.seg.nrrd", [first, second], segments, encoding)
    assert stack.shape == (5, 20, 30) and stack.segments == tuple(segments) and stack.corner == (1, 2, 3)
    assert stack.voxel_size_um == (2000, 1500, 1000)
    np.testing.assert_array_equal(stack.read(0, 5), where)
    np.testing.assert_array_equal(stack.read(3, 4), where[3:4])
    stack.mean(dict(zip(segments, (1, 1, 0), strict=True)), 255)
    np.testing.assert_array_equal(stack.read(0, 5), np.array([255, 1, 1, 0])[where])


def test_one_layer_keeps_its_values(tmp_path: Path) -> None:
    where = np.random.default_rng(1).integers(0, 3, (4, 6, 7)).astype(np.uint8)
    stack = save(tmp_path / "a.seg.nrrd", [where], [Segment("a", 1, 0), Segment("b", 2, 0)])
    np.testing.assert_array_equal(stack.read(0, 4), where)
    with pytest.raises(BadInput, match="list"):
        save(tmp_path / "b.seg.nrrd", [where, where], [Segment("a", 1, 0)])
        open_stack(tmp_path / "b.seg.nrrd")  # as grey values


def test_segments_that_overlap_are_refused_unless_they_mean_one_thing(tmp_path: Path) -> None:
    one, other = np.zeros((2, 3, 4, 5), np.uint8)
    one[1, 1:3], other[1, 2:4] = 1, 1
    segments = [Segment("lithium", 1, 0), Segment("moss", 1, 1)]
    stack = save(tmp_path / "a.seg.nrrd", [one, other], segments)
    with pytest.raises(BadInput, match=r"'moss' overlaps another one .*, in 5 voxels, first in slice 1; in 3D Slicer"):
        stack.read(0, 3)
    stack.mean(dict.fromkeys(segments, 1), 0)
    np.testing.assert_array_equal(stack.read(0, 3), one | other)


def test_a_cropped_segmentation_grows_to_its_image(tmp_path: Path) -> None:
    part = np.random.default_rng(2).integers(0, 2, (3, 4, 5)).astype(np.uint8)
    stack = save(tmp_path / "a.seg.nrrd", [part], [Segment("lithium", 1, 0)])
    whole = np.full((6, 7, 9), 255)
    whole[1:4, 2:6, 3:8] = part
    np.testing.assert_array_equal(GrownStack(stack, (1, 2, 3), (6, 7, 9), 255).read(0, 6), whole)
    np.testing.assert_array_equal(GrownStack(stack, (1, 2, 3), (6, 7, 9), 255).read(2, 5), whole[2:5])
    beyond = GrownStack(stack, (-1, 5, -2), (6, 7, 9))
    whole = np.zeros((6, 7, 9), int)
    whole[0:2, 5:7, 0:3] = part[1:, :2, 2:]
    np.testing.assert_array_equal(beyond.read(0, 6), whole)

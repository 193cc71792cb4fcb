"""Images of a TIFF that are called channels or times: slices, but where the file means what it says."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from custom.base.errors import BadInput
from custom.stack import open_stack
from custom.stack.source import Source
from custom.stack.warn import warn_once

VOXELS = np.random.default_rng(0).integers(0, 60000, (9, 6, 7)).astype(np.uint16)
NAMED = {"Channel": {"Name": ["attenuation", "phase", "mask"]}}


def write(path: Path, depth: int, options: dict[str, Any], **metadata: Any) -> Path:
    tifffile.imwrite(path, VOXELS[:depth], photometric="minisblack", metadata=metadata, **options)
    return path


OME, IMAGEJ = {"ome": True}, {"imagej": True}
MEANT = [
    (3, OME, {"axes": "CYX"}),
    (3, OME, {"axes": "CYX", **NAMED}),
    (2, {**OME, "compression": "zlib"}, {"axes": "CYX"}),
    (9, OME, {"axes": "CYX", "Channel": {"Name": list("abcdefghi")}}),
    (9, OME, {"axes": "TYX", "TimeIncrement": 2.0}),
    (3, IMAGEJ, {"axes": "CYX", "mode": "composite"}),
    (9, IMAGEJ, {"axes": "TYX", "finterval": 0.5}),
    (9, {}, {"axes": "CYX"}),
]


@pytest.mark.parametrize(("depth", "options", "metadata"), MEANT)
def test_channels_and_times_are_no_slices(
    depth: int, options: dict[str, Any], metadata: dict[str, Any], tmp_path: Path
) -> None:
    path = write(tmp_path / "s.tif", depth, options, **metadata)
    axis = str(metadata["axes"])[0].lower()
    with pytest.raises(
        BadInput, match=rf"--stack_index {axis}, {axis} from 0 to {depth - 1}, or give --stack_axes zyx"
    ):
        open_stack(path)
    with pytest.raises(BadInput, match=rf"--label_index {axis}, .* save it with its axes as ZYX if they are slices"):
        Source(str(path), "label").open()
    one = open_stack(path, stack_index=1)
    assert one.shape == (1, 6, 7)
    np.testing.assert_array_equal(one.read(0, 1)[0], VOXELS[1])
    np.testing.assert_array_equal(open_stack(path, stack_axes="zyx").read(0, depth), VOXELS[:depth])


@pytest.mark.parametrize(
    ("depth", "options", "metadata", "warned"),
    [
        (9, OME, {}, False),  # tifffile's own name for an array of slices is CYX
        (9, OME, {"axes": "TYX"}, False),  # Bio-Formats', of the pages of a plain TIFF
        (3, OME, {"axes": "TYX"}, False),
        (3, OME, {"axes": "ZYX"}, False),
        (9, IMAGEJ, {}, False),
        (3, IMAGEJ, {}, True),
        (3, IMAGEJ, {"spacing": 2.0}, False),
        (3, IMAGEJ, {"axes": "ZYX"}, False),
    ],
)
def test_slices_of_another_name(
    depth: int,
    options: dict[str, Any],
    metadata: dict[str, Any],
    warned: bool,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    warn_once.cache_clear()
    caplog.set_level(logging.WARNING, "stack")
    path = write(tmp_path / "s.tif", depth, options, **metadata)
    np.testing.assert_array_equal(open_stack(path).read(0, depth), VOXELS[:depth])
    said = [f"{path}: its 3 images are called channels and are read as slices; choose one with --stack_index c, "]
    assert [message[: len(said[0])] for message in caplog.messages] == said * warned

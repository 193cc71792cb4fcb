"""TIFF pages in which 0 is stored for white."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from custom.base.errors import BadInput
from custom.stack import open_stack
from custom.stack.warn import warn_once

MASK = np.random.default_rng(0).random((4, 21, 37)) > 0.7


def seen_by_pillow(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        planes = []
        for page in range(getattr(image, "n_frames", 1)):
            image.seek(page)
            planes.append(np.asarray(image).astype(bool))
    return np.stack(planes)


def fax(path: Path, planes: np.ndarray, compression: str) -> Path:
    """Pages as Pillow compresses them, labelled WhiteIsZero afterwards, as ImageMagick and scanners write them."""
    first, *others = (Image.fromarray(plane) for plane in planes)
    first.save(path, compression=compression, save_all=True, append_images=others)
    with tifffile.TiffFile(path, mode="r+b") as tiff:
        for page in tiff.pages:
            page.tags["PhotometricInterpretation"].overwrite(0)
    return path


@pytest.mark.parametrize("compression", ["group4", "packbits", "tiff_lzw", "raw"])
@pytest.mark.parametrize("planes", [MASK, MASK[:1]], ids=["stack", "slice"])
def test_one_bit(tmp_path: Path, planes: np.ndarray, compression: str) -> None:
    path = fax(tmp_path / "a.tif", planes, compression)
    shown = seen_by_pillow(path)
    assert (shown != planes).all()  # else this shows nothing
    np.testing.assert_array_equal(open_stack(path).read(0, len(planes)), shown)


@pytest.mark.parametrize("photometric", ["miniswhite", "minisblack"])
@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}, {"rowsperstrip": 4}, {"tile": (16, 16)}], ids=str)
def test_one_bit_of_another_writer(tmp_path: Path, photometric: str, options: dict[str, Any]) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, MASK, photometric=photometric, software="scanner", **options)
    np.testing.assert_array_equal(open_stack(path).read(0, 4), seen_by_pillow(path))


@pytest.mark.parametrize(("planes", "in_folder"), [(MASK, False), (MASK[:1], False), (MASK[:1], True)])
def test_a_mask_of_bool_by_tifffile_is_in_doubt(tmp_path: Path, planes: np.ndarray, in_folder: bool) -> None:
    """It stores them WhiteIsZero, and gives them back as they were: viewers show the negative."""
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, planes)
    assert (seen_by_pillow(path) != planes).all()
    opened = tmp_path if in_folder else path
    with pytest.raises(
        BadInput, match=r"either may be lithium; write it anew with 8 bits, tifffile.imwrite\(name, mask"
    ):
        open_stack(opened, labels=True)
    np.testing.assert_array_equal(open_stack(opened).read(0, len(planes)), ~planes)  # grey values: as shown
    tifffile.imwrite(path, planes.astype("uint8"))
    np.testing.assert_array_equal(open_stack(opened, labels=True).read(0, len(planes)), planes)


def test_pages_of_both_kinds(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as tiff:
        for plane, photometric in zip(MASK, ("miniswhite", "minisblack") * 2, strict=True):
            tiff.write(plane, photometric=photometric, contiguous=False, software="scanner")
    np.testing.assert_array_equal(open_stack(path).read(0, 4), seen_by_pillow(path))


def test_a_folder_of_slices(tmp_path: Path) -> None:
    paths = [fax(tmp_path / f"s_{z}.tif", MASK[z : z + 1], "group4") for z in range(4)]
    shown = np.concatenate([seen_by_pillow(path) for path in paths])
    np.testing.assert_array_equal(open_stack(tmp_path).read(1, 4), shown[1:])


@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}], ids=str)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_more_bits_stay_as_stored_and_it_is_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, dtype: type[np.generic], options: dict[str, Any]
) -> None:
    warn_once.cache_clear()
    values = np.random.default_rng(0).integers(0, 255, (3, 5, 6)).astype(dtype)
    for name in ("a", "b"):
        tifffile.imwrite(tmp_path / f"{name}.tif", values, photometric="miniswhite", **options)
    with caplog.at_level(logging.WARNING):
        for name in ("a", "b", "a"):
            np.testing.assert_array_equal(open_stack(tmp_path / f"{name}.tif").read(0, 3), values)
    (told,) = caplog.records
    assert told.getMessage().startswith(f"{tmp_path}: ") and f"type {values.dtype} " in told.getMessage()

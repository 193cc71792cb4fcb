"""Which pages of a TIFF file are its slices: the pages decide, descriptions are a hint, colour planes may be slices."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image, TiffImagePlugin

from custom.base.errors import BadInput
from custom.stack import open_stack
from custom.stack.warn import warn_once

VOLUME = np.random.default_rng(0).integers(0, 60000, (6, 20, 24)).astype(np.uint16)
THUMBNAIL = VOLUME[0, ::4, ::4]
COLOUR = np.zeros((5, 6, 3), np.uint8)
IMAGEJ = "ImageJ=1.53t\nimages={0}\nslices={0}\nunit=micron\nspacing=2.0\nloop=false\n"
SHAPE = '{{"shape": [{0}, 20, 24]}}'


def ome(planes: int, channels: int = 1, names: Sequence[str] = ()) -> str:
    files = [f"<UUID FileName='{name}'>urn:uuid:0-{i}</UUID>" for i, name in enumerate(names)] or [""] * planes
    data = "".join(
        f"<TiffData IFD='{0 if names else i}' FirstZ='{i}'>{text}</TiffData>" for i, text in enumerate(files)
    )
    return (
        "<?xml version='1.0' encoding='UTF-8'?><OME xmlns='http://www.openmicroscopy.org/Schemas/OME/2016-06'>"
        "<Image ID='Image:0'><Pixels ID='Pixels:0' DimensionOrder='XYZCT' Type='uint16' SizeX='24' SizeY='20' "
        f"SizeZ='{planes // channels}' SizeC='{channels}' SizeT='1' PhysicalSizeX='1.5' PhysicalSizeY='1.5' "
        f"PhysicalSizeZ='1.5'>{data}</Pixels></Image></OME>"
    )


def write(path: Path, pages: Sequence[np.ndarray], description: str | None = None, **kinds: Any) -> Path:
    """One page after another, the first with a description; `kinds`: the NewSubfileType of a page, as k5=1."""
    compression = kinds.pop("compression", None)
    with tifffile.TiffWriter(path) as tiff:
        for i, page in enumerate(pages):
            tiff.write(
                page,
                photometric="rgb" if page.ndim == 3 else "minisblack",
                metadata=None,
                description=None if i else description,
                contiguous=False,
                compression=compression,
                subfiletype=kinds.get(f"k{i}", 0) & 1,
            )
    with tifffile.TiffFile(path, mode="r+b") as tiff:
        for key, kind in kinds.items():
            tiff.pages[int(key[1:])].tags[254].overwrite(kind)
    return path


@pytest.fixture(autouse=True)
def told(caplog: pytest.LogCaptureFixture) -> Iterator[list[str]]:
    """The warnings of opening."""
    warn_once.cache_clear()
    caplog.set_level(logging.WARNING, "stack")
    yield caplog.messages


def same(path: Path, volume: np.ndarray) -> None:
    stack = open_stack(path)
    assert stack.shape == volume.shape and stack.dtype == volume.dtype
    np.testing.assert_array_equal(stack.read(0, len(volume)), volume)
    np.testing.assert_array_equal(stack.read(len(volume) - 1, len(volume)), volume[-1:])


DESCRIPTIONS = {"ImageJ": IMAGEJ.format, "OME-XML": ome, "description": SHAPE.format}


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("kind", DESCRIPTIONS)
@pytest.mark.parametrize(("described", "held"), [(6, 6), (200, 6), (200, 1), (4, 6)])
def test_the_pages_decide(
    kind: str, described: int, held: int, compression: str | None, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    text = DESCRIPTIONS[kind](described)
    same(write(tmp_path / "s.tif", VOLUME[:held], text, compression=compression), VOLUME[:held])
    if described > held:
        (warning,) = caplog.messages
        assert re.search(rf"s.tif: its {kind}.* speaks of {described} slices and it holds {held}; th", warning)
    assert described != held or not caplog.messages


def test_a_description_of_larger_slices_says_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """tifffile warns of missing slices that it would fill with zeros."""
    caplog.set_level(logging.WARNING, "tifffile")
    same(write(tmp_path / "s.tif", VOLUME, ome(len(VOLUME)).replace("SizeX='", "SizeX='20")), VOLUME)
    assert not [record for record in caplog.records if record.name == "tifffile"]


def test_pillow_keeps_imagejs_description(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[270] = IMAGEJ.format(200)
    first, *others = [Image.fromarray(page) for page in VOLUME]
    first.save(tmp_path / "a.tif", save_all=True, append_images=others, tiffinfo=tags)
    first.save(tmp_path / "one.tif", tiffinfo=tags)
    same(tmp_path / "a.tif", VOLUME)
    same(tmp_path / "one.tif", VOLUME[:1])
    assert len(caplog.messages) == 2


def test_slices_that_each_carry_the_whole_stacks_description(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    names = [f"s_{z:03d}.tif" for z in range(6)]
    for z, name in enumerate(names):
        write(tmp_path / name, VOLUME[z : z + 1], ome(6, names=names))
    same(tmp_path, VOLUME)
    with pytest.raises(BadInput, match=r"s_002\.tif: is one of several files .* give their folder"):
        open_stack(tmp_path / "s_002.tif")
    (tmp_path / "alone").mkdir()
    same((tmp_path / "s_002.tif").rename(tmp_path / "alone" / "s.tif"), VOLUME[2:3])
    assert len(caplog.messages) == 1


@pytest.mark.parametrize(
    "text", ["ImageJ=1.53t\nimages=12\nchannels=2\nslices=6\nhyperstack=true\n", ome(12, channels=2)]
)
def test_pages_of_unknown_channels_are_refused(text: str, tmp_path: Path) -> None:
    path = write(tmp_path / "s.tif", VOLUME, text)
    with pytest.raises(BadInput, match=r"12 slices and it holds 6, of which channel or time is not known \(2 there\)"):
        open_stack(path)


@pytest.mark.parametrize("left", [0.3, 0.6, 0.95])
@pytest.mark.parametrize("kind", [*DESCRIPTIONS, "one directory", "planes"])
def test_a_file_cut_short_is_still_refused(kind: str, left: float, tmp_path: Path) -> None:
    path = tmp_path / "s.tif"
    if kind in DESCRIPTIONS:
        write(path, VOLUME, DESCRIPTIONS[kind](6))
    elif kind == "planes":
        tifffile.imwrite(path, VOLUME[:3])
    else:
        tifffile.imwrite(path, VOLUME, imagej=True, metadata={"axes": "ZYX"}, truncate=True)
    path.write_bytes(path.read_bytes()[: int(left * path.stat().st_size)])
    with pytest.raises(BadInput, match="is cut short"):
        open_stack(path)


PAGES: dict[str, tuple[Sequence[np.ndarray], dict[str, int], np.ndarray]] = {
    "a thumbnail last": ([*VOLUME, THUMBNAIL], {"k6": 1}, VOLUME),
    "a thumbnail first": ([THUMBNAIL, *VOLUME], {"k0": 1}, VOLUME),
    "a colour thumbnail first": ([COLOUR, *VOLUME], {"k0": 1}, VOLUME),
    "a thumbnail after each": ([VOLUME[0], THUMBNAIL, VOLUME[1], THUMBNAIL], {"k1": 1, "k3": 1}, VOLUME[:2]),
    "a mask": ([*VOLUME[:3], VOLUME[5]], {"k3": 4}, VOLUME[:3]),
    "a mask of one slice": ([VOLUME[0], (VOLUME[0] > 9).astype(np.uint8)], {"k1": 4}, VOLUME[:1]),
    "a mask of a thumbnail": ([VOLUME[0], THUMBNAIL, THUMBNAIL], {"k1": 1, "k2": 5}, VOLUME[:1]),
    "all called reduced": (VOLUME, {f"k{i}": 1 for i in range(6)}, VOLUME),
    "all but the first called reduced": (VOLUME, {f"k{i}": 1 for i in range(1, 6)}, VOLUME),
    "all called masks": (VOLUME, {f"k{i}": 4 for i in range(6)}, VOLUME),
}


@pytest.mark.parametrize("case", PAGES)
def test_thumbnails_and_masks_are_no_slices(case: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    pages, kinds, volume = PAGES[case]
    same(write(tmp_path / "s.tif", pages, **kinds), volume)
    if len(volume) == 1:
        same(tmp_path, volume)
    assert not caplog.messages


def test_a_thumbnail_that_is_not_called_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="its pages differ"):
        open_stack(write(tmp_path / "s.tif", [*VOLUME, THUMBNAIL]))


@pytest.mark.parametrize("is_ome", [False, True])
def test_pyramids_are_read_at_full_size(is_ome: bool, tmp_path: Path) -> None:
    options: dict[str, Any] = {"photometric": "minisblack", "tile": (16, 16)}
    with tifffile.TiffWriter(tmp_path / "s.ome.tif", ome=is_ome) as tiff:
        tiff.write(VOLUME, subifds=1, **options)
        tiff.write(VOLUME[:, ::2, ::2], subfiletype=1, **options)
    same(tmp_path / "s.ome.tif", VOLUME)


@pytest.mark.parametrize(
    "options",
    [{}, {"compression": "zlib", "predictor": True}, {"tile": (16, 16)}, {"rowsperstrip": 7, "byteorder": ">"}],
)
@pytest.mark.parametrize(("depth", "dtype"), [(3, "u2"), (4, "u2"), (3, "f4"), (3, "u1")])
def test_slices_stored_as_planes_of_a_colour(
    depth: int, dtype: str, options: dict[str, Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """An array of 3 or 4 slices, as tifffile stores it by itself."""
    if dtype == "f4":
        options = {**options, "predictor": None}
    volume = VOLUME[:depth].astype(dtype)
    tifffile.imwrite(tmp_path / "s.tif", volume, **options)
    with tifffile.TiffFile(tmp_path / "s.tif") as tiff:
        assert tiff.pages.first.samplesperpixel == depth and len(tiff.pages) == 1
    same(tmp_path / "s.tif", volume)
    (warning,) = caplog.messages
    assert f"s.tif: its {depth} slices are stored as the planes of a colour image" in warning


@pytest.mark.parametrize("dtype", ["u1", "f4"])
def test_slices_appended_to_planes_of_a_colour(dtype: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    volume = VOLUME.astype(dtype)
    for part in (volume[:3], volume[3:]):
        tifffile.imwrite(tmp_path / "s.tif", part, append=True)
    tifffile.imwrite(tmp_path / "one_by_one.tif", volume[:3])
    for plane in volume[3:]:
        tifffile.imwrite(tmp_path / "one_by_one.tif", plane, append=True)
    same(tmp_path / "s.tif", volume)
    same(tmp_path / "one_by_one.tif", volume)
    assert "s.tif: its 6 slices are stored as the planes of colour images" in caplog.messages[0]


@pytest.mark.parametrize("dtype", ["u2", "f4"])
def test_planes_that_no_photograph_has(dtype: str, tmp_path: Path) -> None:
    volume = VOLUME[:3].astype(dtype)
    tifffile.imwrite(tmp_path / "s.tif", volume, photometric="rgb", planarconfig="separate", metadata=None)
    same(tmp_path / "s.tif", volume)


@pytest.mark.parametrize(
    "save",
    [
        lambda path: tifffile.imwrite(path, np.zeros((20, 24, 3), np.uint16), photometric="rgb"),
        lambda path: tifffile.imwrite(path, VOLUME.reshape(2, 3, 20, 24), photometric="rgb", planarconfig="separate"),
        lambda path: Image.fromarray(np.zeros((20, 24, 3), np.uint8)).save(path),
        lambda path: tifffile.imwrite(path, COLOUR.transpose(2, 0, 1), photometric="rgb", metadata=None),
    ],
    ids=["16 bits", "several planes", "pillow", "planes of 8 bits"],
)
def test_colour_is_refused(save: Callable[[Path], object], tmp_path: Path) -> None:
    save(tmp_path / "s.tif")
    with pytest.raises(BadInput, match=r"is a colour image \(RGB, 3 samples a pixel\)"):
        open_stack(tmp_path / "s.tif")


@pytest.mark.parametrize("shape", [(6, 20, 24, 1), (1, 6, 20, 24), (6, 1, 20, 24), (1, 1, 6, 20, 24)])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_axes_of_length_1(shape: tuple[int, ...], compression: str | None, tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "s.tif", VOLUME.reshape(shape), photometric="minisblack", compression=compression)
    same(tmp_path / "s.tif", VOLUME)


@pytest.mark.parametrize("suffix", [".btf", ".tf8", ".TF2"])
def test_other_names_of_tiff(suffix: str, tmp_path: Path) -> None:
    for z, plane in enumerate(VOLUME):
        tifffile.imwrite(tmp_path / f"s_{z}{suffix}", plane, bigtiff=suffix != ".TF2")
    same(tmp_path, VOLUME)
    tifffile.imwrite(tmp_path / f"v{suffix}", VOLUME, bigtiff=suffix != ".TF2", photometric="minisblack")
    same(tmp_path / f"v{suffix}", VOLUME)


@pytest.mark.parametrize("labels", [False, True])
@pytest.mark.parametrize("lacking", [[(3, 0)], [(3, 0), (3, 1)], [(4, 0), (4, 1), (5, 0), (5, 1)]])
def test_tiles_that_nobody_wrote(
    lacking: list[tuple[int, int]], labels: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """GDAL leaves out empty ones where it is told to; a writer that was ended leaves the last ones."""
    volume = np.random.default_rng(0).integers(1, 255, (6, 16, 32), np.uint8)
    tifffile.imwrite(tmp_path / "s.tif", volume, tile=(16, 16), metadata=None)
    with tifffile.TiffFile(tmp_path / "s.tif", mode="r+b") as tiff:
        for z, page in enumerate(tiff.pages):
            for tag in ("TileByteCounts", "TileOffsets"):
                values = page.tags[tag].value
                page.tags[tag].overwrite([0 if (z, k) in lacking else values[k] for k in (0, 1)])
    for z, k in lacking:
        volume[z, :, 16 * k : 16 * k + 16] = 0
    if len(lacking) == 4 and not labels:
        with pytest.raises(BadInput, match=r"s.tif: is half-written, nothing was ever written to slices 4 to 5 of 6"):
            open_stack(tmp_path / "s.tif")
        return
    np.testing.assert_array_equal(open_stack(tmp_path / "s.tif", labels=labels).read(0, 6), volume)
    (said,) = caplog.messages
    assert (
        f"lacks {len(lacking)} of its 12 strips or tiles, in {len(lacking) // 2 or 1} slices, slice {lacking[0][0]}"
        in said
    )

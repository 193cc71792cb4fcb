"""Zarr as other programs lay it out: images below the root, plates, zips of folders, .ozx; and what shards lack."""

import os
import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from conftest import refusal
from ome_zarr.format import FormatV04, FormatV05
from ome_zarr.writer import write_image
from zarr.codecs import BytesCodec, Crc32cCodec, ShardingCodec

from custom.stack import fingerprint, open_stack
from custom.stack.formats import suffixes

VOXELS = np.random.default_rng(0).integers(1, 1 << 16, (8, 12, 14), np.uint16)
ZYX_UM = (2.5, 1.25, 1.6)


def image(group: zarr.Group, voxels: np.ndarray = VOXELS) -> None:
    old = group.metadata.zarr_format == 2
    write_image(
        voxels,
        group,
        axes="zyx",
        fmt=FormatV04() if old else FormatV05(),
        scale=dict(zip("zyx", ZYX_UM, strict=True)),
        axes_units=dict.fromkeys("zyx", "micrometer"),
        scale_factors=[{"z": 1, "y": 2, "x": 2}],
    )


def converted(path: Path, version: int, images: int = 1) -> Path:
    """As bioformats2raw writes it: images 0, 1, ... and their metadata beside them."""
    root = zarr.create_group(path, zarr_format=2 if version == 2 else 3)
    layout: dict[str, Any] = {"bioformats2raw.layout": 3}
    root.attrs.update(layout if version == 2 else {"ome": {"version": "0.5", **layout}})
    for number in range(images):
        image(root.create_group(str(number)), VOXELS + number)
    series: dict[str, Any] = {"series": [str(number) for number in range(images)]}
    root.create_group("OME").attrs.update(series if version == 2 else {"ome": series})
    (path / "OME/METADATA.ome.xml").write_text("<OME/>")
    return path


def zipped(
    folder: Path, name: str, top: str = "", comment: bytes = b"", others: dict[str, bytes] | None = None
) -> Path:
    path = folder.with_name(name)
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, os.path.join(top, file.relative_to(folder)))
        for other, content in (others or {}).items():
            archive.writestr(other, content)
        archive.comment = comment
    shutil.rmtree(folder)
    return path


def same(path: Path, voxels: np.ndarray = VOXELS, **options: Any) -> None:
    stack = open_stack(path, **options)
    np.testing.assert_array_equal(stack.read(0, 8), voxels)
    assert stack.voxel_size_um == pytest.approx(ZYX_UM)


@pytest.mark.parametrize("version", [2, 3])
def test_bioformats2raw(version: int, tmp_path: Path) -> None:
    one = converted(tmp_path / "one.zarr", version)
    same(one)
    same(one, stack_key="0")
    two = converted(tmp_path / "two.zarr", version, images=2)
    words = "holds 2 images where one is wanted; name one with --stack_key: 0 (8, 12, 14), 1 (8, 12, 14)."
    assert refusal(two).endswith(words)
    same(two, VOXELS + 1, stack_key="1")
    assert "has no array 2; name one with --stack_key: 0 (8, 12, 14), 1 (8, 12, 14)." in refusal(two, stack_key=2)


def test_plates_and_labels(tmp_path: Path) -> None:
    plate = zarr.create_group(tmp_path / "plate.zarr")
    plate.attrs["ome"] = {"version": "0.5", "plate": {"wells": [{"path": "A/1"}, {"path": "A/10"}]}}
    for number, well in enumerate(("A/10", "A/2")):
        image(plate.create_group(f"{well}/0"), VOXELS + number)
    image(plate["A/2/0"].create_group("labels/cells"), VOXELS // 9)
    words = refusal(tmp_path / "plate.zarr")
    assert words.endswith(
        "is a plate with 2 images where one is wanted; name one with --stack_key: A/2/0 (8, 12, 14), A/10/0 (8, 12, 14)."
    )
    same(tmp_path / "plate.zarr", VOXELS + 1, stack_key="A/2")
    same(tmp_path / "plate.zarr", VOXELS // 9, stack_key="/A/2/0/labels/cells")


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize(
    ("name", "top", "comment", "others"),
    [
        ("s.zarr.zip", "", b"", {}),
        ("s.zip", "my scan.ome.zarr", b"", {}),
        ("s.zarr.zip", "a/b/c.zarr", b"made by hand", {"a/notes.txt": b"x", "__MACOSX/a/b/._zarr.json": b"x"}),
        ("S.OZX", "", b'{"ome": {"version": "0.5", "zipFile": {"centralDirectory": {"jsonFirst": true}}}}', {}),
    ],
)
def test_zips(version: int, name: str, top: str, comment: bytes, others: dict[str, bytes], tmp_path: Path) -> None:
    path = zipped(converted(tmp_path / "s.zarr", version), name, top, comment, others)
    same(path)
    same(path, stack_key="/0/")
    stack = open_stack(path, stack_key="0")
    assert stack.files == [path] and fingerprint(stack)
    assert "has no array 5; name one with --stack_key: 0/" in refusal(path, stack_key=5)


def test_zips_of_something_else(tmp_path: Path) -> None:
    path = zipped(converted(tmp_path / "s.zarr", 3), "s.zip", "a.zarr", others={"b.zarr/zarr.json": b"{}"})
    assert "holds 2 Zarr folders, a.zarr, b.zarr; unpack it and give one of them." in refusal(path)
    (tmp_path / "t").mkdir()
    (tmp_path / "t/slice_0.tif").write_bytes(b"x")
    assert "holds no Zarr metadata" in refusal(zipped(tmp_path / "t", "t.zip"))
    assert {".zarr.zip", ".zip", ".ozx"} <= set(suffixes())  # each is a suffix that comes off a name


SIDES = {"shape": (10, 12, 14), "dtype": "uint16", "chunks": (2, 6, 7), "shards": (4, 12, 14)}


def sharded(path: Path, *written: slice, **options: Any) -> Path:
    array = zarr.create_array(path, **{**SIDES, **options})
    for z in written:
        array[..., z, :, :] = 5
    return path


@pytest.mark.parametrize("suffix", [".zarr", ".zip"])
def test_what_shards_lack(suffix: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def made(name: str, *written: slice, **options: Any) -> Path:
        path = sharded(tmp_path / f"{name}.zarr", *written, **options)
        return zipped(path, f"{name}.zip") if suffix == ".zip" else path

    open_stack(made("whole", slice(0, 10)))
    assert not caplog.records  # the chunks of the last shard that lie outside of the array are not missed
    words = "is half-written, it lacks 8 of the 20 chunks of its array and with them all slices from 6 on"
    assert words in refusal(made("end", slice(0, 6)))
    assert open_stack(made("middle", slice(0, 2), slice(6, 10))).read(4, 5).max() == 0
    assert "lacks 8 of the 20 chunks of its array, and with them the slices 2 to 5, which are read as 0" in caplog.text
    channels = {"shape": (3, 10, 12, 14), "chunks": (1, 2, 6, 7), "shards": (2, 4, 12, 14)}
    several = made("channels", slice(0, 6), **channels)
    assert "it lacks 8 of the 20 chunks" in refusal(several, stack_index=1)


@pytest.mark.parametrize(
    ("location", "codecs"),
    [("start", [BytesCodec(endian="little"), Crc32cCodec()]), ("end", [BytesCodec(endian="big")])],
)
def test_other_places_of_the_index(location: Any, codecs: list[Any], tmp_path: Path) -> None:
    sharding = ShardingCodec(chunk_shape=SIDES["chunks"], index_location=location, index_codecs=codecs)
    array = zarr.create(
        store=tmp_path / "s.zarr", shape=SIDES["shape"], dtype="uint16", chunks=SIDES["shards"], codecs=[sharding]
    )
    array[:6] = 5
    assert "it lacks 8 of the 20 chunks of its array and with them all slices from 6 on" in refusal(tmp_path / "s.zarr")


def test_projections_in_names_of_axes(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    values = np.arange(24, dtype="u2").reshape(2, 3, 4)
    group = zarr.create_group(tmp_path / "scan.zarr")
    group.create_array("scan", data=values, dimension_names=["theta", "y", "x"])
    words = "holds projections, an axis is called theta; reconstruct them first, or give --stack_key scan if not."
    assert words in refusal(tmp_path / "scan.zarr")
    np.testing.assert_array_equal(open_stack(tmp_path / "scan.zarr", stack_key="scan").read(0, 2), values)
    assert "as in projections" in caplog.text

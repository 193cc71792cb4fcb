"""The list of formats: all that knows files by their names follows from it, and so does one format more."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile

from custom.base.errors import BadInput
from custom.data import labelled_slices, list_pairs
from custom.stack import fingerprint, only_array, open_stack, takes_key
from custom.stack.axes import find_axes
from custom.stack.block import Block, open_block
from custom.stack.format import Format
from custom.stack.formats import FORMATS, stem_of
from custom.stack.selection import Selection
from custom.stack.stack import Stack

ROOT = Path(__file__).resolve().parents[2]
VOXELS = np.random.default_rng(0).integers(1, 60000, (4, 20, 24), dtype=np.uint16)


def open_toy(path: Path, chosen: Selection) -> Stack:
    """Three sizes as JSON, the voxels beside it in a .voxels or, with a key, in the file of that name."""
    header = json.loads(path.read_text())
    data = path.with_name(chosen.key or header["data"])
    return open_block(path, Block(data, 0, find_axes(path, header["sizes"], chosen), np.dtype(header["type"])), None)


TOY = Format(
    "Toy",
    (".toy", ".toy.json"),
    open_toy,
    keyed=True,
    headers=(".toy.json",),
    companions=(".voxels",),
    owns_folder=lambda folder: (folder / "toy").is_file(),
    only_array=lambda path: f"{stem_of(path)}.voxels",
)


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("custom.stack.formats.FORMATS", (*FORMATS, TOY))


def write(path: Path, voxels: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    data = path.with_name(f"{stem_of(path)}.voxels")
    voxels.tofile(data)
    path.write_text(json.dumps({"sizes": voxels.shape, "type": voxels.dtype.str, "data": data.name}))
    return path


@pytest.mark.usefixtures("toy")
def test_one_format_more_opens_by_its_suffix(tmp_path: Path) -> None:
    path = write(tmp_path / "a.TOY.json", VOXELS)
    (tmp_path / "other").write_bytes(VOXELS[::-1].tobytes())
    np.testing.assert_array_equal(open_stack(path).read(0, 4), VOXELS)
    np.testing.assert_array_equal(open_stack(path, stack_key="other").read(0, 4), VOXELS[::-1])
    assert stem_of(path) == "a" and takes_key(path) and only_array(path) == "a.voxels" and fingerprint(open_stack(path))


@pytest.mark.usefixtures("toy")
def test_one_format_more_makes_a_labelled_set(tmp_path: Path) -> None:
    label = (VOXELS > 30000).astype(np.uint8)
    write(tmp_path / "images/a.toy.json", VOXELS)
    write(tmp_path / "labels/a.toy.json", label)
    tifffile.imwrite(tmp_path / "images/b.tif", VOXELS[0])
    tifffile.imwrite(tmp_path / "labels/b.tif", label[0])
    assert [image.name for image, _ in list_pairs(tmp_path)] == ["a.toy.json", "b.tif"]
    items = labelled_slices(tmp_path)
    assert [item["stem"] for item in items] == ["a"] * 4 + ["b"]
    assert [item["lithium"] for item in items[:4]] == label.sum(axis=(1, 2)).tolist()


@pytest.mark.usefixtures("toy")
def test_a_companion_belongs_to_a_header_alone(tmp_path: Path) -> None:
    for part in ("images", "labels"):
        tifffile.imwrite(write(tmp_path / part / "a.toy", np.zeros((1, 2, 2), np.uint8)).with_name("b.tif"), VOXELS[0])
    with pytest.raises(
        BadInput, match=r"a\.voxels: its format is not known by its suffix; export it as one of .*, \.toy"
    ):
        list_pairs(tmp_path)


@pytest.mark.usefixtures("toy")
def test_sentences_name_one_format_more(tmp_path: Path) -> None:
    (tmp_path / "a.xyz").touch()
    with pytest.raises(BadInput, match=r"a file of \.tif, .*, \.ozx, .*, \.toy, \.toy\.json\.$"):
        open_stack(tmp_path / "a.xyz")
    path = write(tmp_path / "in/a.toy", VOXELS)
    with pytest.raises(BadInput, match=r"holds no TIFF slices .*, but the stack a\.toy; give that"):
        open_stack(path.parent)


def test_a_format_may_be_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = replace(TOY, open=lambda path, chosen: open_toy(path / "toy", chosen))
    monkeypatch.setattr("custom.stack.formats.FORMATS", (*FORMATS, folder))
    for part in ("images", "labels"):
        write(tmp_path / part / "a/toy", VOXELS)
    np.testing.assert_array_equal(open_stack(tmp_path / "images/a").read(0, 4), VOXELS)
    assert list_pairs(tmp_path) == [(tmp_path / "images/a", tmp_path / "labels/a")]


def test_no_two_formats_want_a_file() -> None:
    every = [suffix for known in FORMATS for suffix in known.suffixes]
    assert len(every) == len(set(every)) and all(re.fullmatch(r"(\.[a-z0-9]+)+", suffix) for suffix in every)
    for known in FORMATS:
        others = {suffix for other in FORMATS if not other.bare for suffix in other.suffixes}
        assert {*known.shared, *known.headers} <= {*known.suffixes} and not {*known.companions} & others
        assert bool(known.headers) == bool(known.companions)


def test_the_documents_name_all_formats() -> None:
    rows = re.findall(r"^\| ([^|`]+?) \| (`\..*?) \|", (ROOT / "bundle/docs/stacks.md").read_text(), re.MULTILINE)
    assert {name: re.findall(r"`(\.[a-z0-9.]+)`", files) for name, files in rows} == {
        known.name: list(known.suffixes) for known in FORMATS
    }
    told = json.loads((ROOT / "bundle/configs/metadata.json").read_text())["data_type"]
    assert [known.name for known in FORMATS if known.name not in told] == []

"""Scans are known as such: by scans.json, by folders of slices and by 3-D stacks."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from custom.base.errors import BadInput
from custom.data import Reading, labelled_slices, noted_scans, noted_split, scans_of_stems, split_dataset
from custom.data.blocks import cut_into_blocks
from custom.data.hold_out import scans_of
from custom.data.sides import Split

SIDES = ("train", "val", "test")
GREY = {
    "a": (1000, 9000),
    "b": (4000, 20000),
    "c": (200, 15000),
}  # overlapping: without a word they are taken for one scale


def plane(low: float, high: float, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).uniform(low, high, (10, 20)).astype(np.uint16)


def add(root: Path, name: str, grey: np.ndarray, label: np.ndarray | None = None) -> None:
    for part, values in (("images", grey), ("labels", (grey > np.median(grey)).astype(np.uint8))):
        path = root / part / f"{name}.tif"
        path.parent.mkdir(parents=True, exist_ok=True)
        values = label if part == "labels" and label is not None else values
        tifffile.imwrite(path, values, photometric="minisblack")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Four 2-D slices of each of three scans, whose names leave nothing to tell them apart by; nothing is told."""
    for number in range(12):
        add(tmp_path / "set", f"s_{number:02d}", plane(*GREY["abc"[number // 4]], number))
    return tmp_path / "set"


def tell(root: Path, scans: Any = None) -> Path:
    listed = {name: stems(i) for i, name in enumerate("abc")} if scans is None else scans
    (root / "scans.json").write_text(listed if isinstance(listed, str) else json.dumps(listed))
    return root


def stems(scan: int) -> list[str]:
    return [f"s_{number:02d}" for number in range(4 * scan, 4 * scan + 4)]


def scans_on(split: Split) -> dict[str, set[str]]:
    return {side: {"abc"[int(item["stem"][2:]) // 4] for item in split[side]} for side in SIDES}


def test_each_scan_has_the_window_of_all_its_files(root: Path) -> None:
    """Those without a label too; without scans.json there is one for all, and items are as they were."""
    add(root, "s_03", plane(*GREY["a"], 5) * 2, np.full((10, 20), 255, np.uint8))
    together = labelled_slices(root)
    assert len({item["grey_window"] for item in together}) == 1 and not {"scan", "at"} & set(together[0])
    items = labelled_slices(tell(root))
    for i, scan in enumerate("abc"):
        values = np.stack([tifffile.imread(root / f"images/{stem}.tif") for stem in stems(i)])
        windows = {item["grey_window"] for item in items if item["scan"] == scan}
        np.testing.assert_allclose(list(windows), [np.percentile(values, (0.5, 99.5))], rtol=1e-5)
    assert [item["stem"] for item in items] == [item["stem"] for item in together]
    assert {item["grey_window"] for item in labelled_slices(root, fixed=(0, 9000))} == {(0.0, 9000.0)}


@pytest.mark.parametrize(
    "names",
    [
        lambda name: name,
        lambda name: f"{name}.tif",
        lambda name: f"images/{name}.tif",
        lambda name: f".\\images\\{name}",
    ],
    ids=["stem", "suffix", "folder", "backslashes"],
)
def test_names_in_scans_json(root: Path, names: Callable[[str], str]) -> None:
    scans = {name: [names(stem) for stem in stems(i)] for i, name in enumerate("abc")}
    items = labelled_slices(tell(root, scans | {"_desc_": "a note"}))
    assert [item["scan"] for item in items] == [*"aaaabbbbcccc"]


def test_the_scan_of_each_file(root: Path) -> None:
    told = scans_of_stems(labelled_slices(tell(root)))
    assert told == {stem: scan for i, scan in enumerate("abc") for stem in stems(i)}


def test_blocks_never_cross_scans_and_numbers_are_heights() -> None:
    """Scans whose names alternate; neighbours within one stay together where others lie far off."""
    heights = [100, 101, 102, 500, 501, 502, 900, 901, 902]
    items = [
        {"stem": f"s_{z:04d}_{scan}", "z": 0, "at": float(z), "scan": scan, "lithium": 1}
        for z in heights
        for scan in "ab"
    ]
    blocks = cut_into_blocks(items)
    assert [({item["scan"] for item in block}, [item["at"] for item in block]) for block in blocks] == [
        ({scan}, heights[start : start + 3]) for scan in "ab" for start in (0, 3, 6)
    ]


def test_an_item_says_its_number(root: Path) -> None:
    assert [item["at"] for item in labelled_slices(tell(root))] == list(range(12))


def test_blocks_are_the_default(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        split = split_dataset(tell(root))
    assert sum(len(scans) for scans in scans_on(split).values()) > 3
    assert "blocks of z of its 3 scans are dealt out; --hold_out scan keeps whole scans" in caplog.text
    assert noted_scans(split["train"]) == {"scans": {name: stems(i) for i, name in enumerate("abc")}}


@pytest.mark.parametrize("seed", range(3))
def test_whole_scans_are_held_out(root: Path, seed: int, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        split = split_dataset(tell(root), seed, hold_out="scan")
    sides = scans_on(split)
    assert all(len(split[side]) == 4 and len(sides[side]) == 1 for side in SIDES)
    assert set.union(*sides.values()) == set("abc")
    words = "; ".join(f"{name} {sides[side].pop()} (4 slices)" for name, side in zip(LONG, SIDES, strict=True))
    assert f"whole scans are held out: {words}." in caplog.text
    assert split.origin == "the seed, whole scans" and noted_scans(split["train"])["hold_out"] == "scan"


LONG = ("training", "validation", "test")


def test_3d_stacks_and_folders_of_slices_are_scans(tmp_path: Path) -> None:
    """Of each its own window and, held out, its own side; one with a single labelled slice too."""
    for i, name in enumerate(("stack", "folder/f_0", "folder/f_1", "flat_0", "flat_1")):
        grey = plane(0, 1000 * (1 + i), i)
        deep = np.stack([grey, grey + 1])
        label = (grey > np.median(grey)).astype(np.uint8)
        blank = np.full_like(label, 255)
        add(tmp_path, name, deep if name == "stack" else grey, np.stack([label, blank]) if name == "stack" else label)
    assert {name: len(part) for name, part in scans_of(labelled_slices(tmp_path)).items()} == {
        "stack": 1,
        "folder": 2,
        "the 2-D files": 2,
    }
    split = split_dataset(tmp_path, hold_out="scan")
    assert sorted(len(split[side]) for side in SIDES) == [1, 2, 2]
    assert len({item["grey_window"] for side in SIDES for item in split[side]}) == 3
    assert "scans" not in noted_scans(split["train"])


def test_of_two_scans_one_is_the_test_side(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    split = split_dataset(tell(root, {"a": stems(0), "b": [*stems(1), *stems(2)]}), hold_out="scan")
    assert {item["scan"] for item in split["test"]} == {"a"}  # the one with less lithium
    assert {item["scan"] for side in ("train", "val") for item in split[side]} == {"b"}
    assert [len(split[side]) for side in SIDES] == [7, 1, 4]
    assert "of two scans one is the test side" in caplog.text


def test_a_scan_of_one_slice_that_is_held_out_is_told(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    split = split_dataset(tell(root, {"a": stems(0)[:1], "b": [*stems(0)[1:], *stems(1), *stems(2)]}), hold_out="scan")
    assert [item["stem"] for item in split["test"]] == ["s_00"]
    assert "the test side is one slice, the only labelled one of a, whose score may be chance" in caplog.text


def test_several_classes_are_held_out_by_scan(root: Path) -> None:
    """Scan c alone has class 2, so it has to be learned from."""
    for number in range(12):
        grey = tifffile.imread(root / f"images/s_{number:02d}.tif")
        label = (grey > np.median(grey)).astype(np.uint8)
        label[0, :10] = 2 if number >= 8 else 0
        add(root, f"s_{number:02d}", grey, label)
    for seed in range(3):
        split = split_dataset(tell(root), seed, reading=Reading(classes=("one", "two")), hold_out="scan")
        sides = scans_on(split)
        assert sides["train"] == {"c"} and all(len(scans) == 1 for scans in sides.values())


def test_splits_json_names_scans(root: Path) -> None:
    (tell(root) / "splits.json").write_text('{"train": ["a", "s_08"], "val": ["s_09.tif"], "test": "b"}')
    split = split_dataset(root)
    assert scans_on(split) == {"train": {"a", "c"}, "val": {"c"}, "test": {"b"}}
    assert [len(split[side]) for side in SIDES] == [5, 1, 4]
    with pytest.raises(
        BadInput, match=r"splits\.json: decides on the sides, .* leave --hold_out away, or take the file"
    ):
        split_dataset(root, hold_out="scan")


# --- the whole scan at hand


def test_the_window_is_that_of_the_stack(root: Path) -> None:
    """What a segmentation of it is scaled by: the slices that were labelled show the darker half of it alone."""
    whole = np.stack([plane(1000, 9000, z) for z in range(6)] + [plane(9000, 30_000, z) for z in range(6, 12)])
    tifffile.imwrite(root.parent / "whole.tif", whole, photometric="minisblack")
    scans = {"a": {"stack": "../whole.tif", "files": stems(0)}, "b": stems(1), "c": stems(2)}
    items = labelled_slices(tell(root, scans), percentiles=(1, 99))
    (window,) = {item["grey_window"] for item in items if item["scan"] == "a"}
    np.testing.assert_allclose(window, np.percentile(whole, (1, 99)), rtol=1e-5)
    other = labelled_slices(
        tell(root, scans | {"a": {"stack": str(root.parent / "gone.tif"), "files": stems(0)}}), fixed=(0, 9000)
    )
    assert len(other) == 12  # a fixed window needs no stack


def test_a_folder_of_slices_may_have_its_stack(tmp_path: Path) -> None:
    for number in range(3):
        add(tmp_path, f"cell/s_{number}", plane(0, 1000, number))
    np.save(tmp_path / "whole.npy", np.stack([plane(0, 2000, z) for z in range(9)]))
    (window,) = {item["grey_window"] for item in labelled_slices(tell(tmp_path, {"cell": {"stack": "whole.npy"}}))}
    assert 1900 < window[1] < 2000


def slices_of_another_scale(root: Path) -> dict[str, Any]:
    whole = np.stack([plane(30_000, 60_000, z) for z in range(3)])
    tifffile.imwrite(root / "whole.tif", whole, photometric="minisblack")
    return {"a": {"stack": "whole.tif", "files": stems(0)}, "b": stems(1), "c": stems(2)}


def test_files_of_several_scales_in_one_scan_are_told(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    add(root, "s_00", plane(2, 60, 1).astype(np.float32) / 70)
    labelled_slices(tell(root))
    assert "scans.json: the files of the scan 'a' have 2 grey scales" in caplog.text


# --- what is refused

BC = {"b": stems(1), "c": stems(2)}
REFUSED: dict[str, tuple[Any, str]] = {
    "no JSON": ("a: all", "is not JSON of the form"),
    "a list": ("[1]", "give every scan a list of its files"),
    "nothing": ({}, "tells of no scan; write"),
    "no such file": (
        BC | {"a": [*stems(0), "s_91"]},
        "lists 's_91' in the scan 'a', which is no file in images/; did you",
    ),
    "two scans": (BC | {"a": [*stems(0), "s_04"]}, "'s_04' stands in both 'b' and 'a'; keep one of the two"),
    "no scan": (BC | {"a": stems(0)[2:]}, "which scan 's_00' and 1 more 2-D files came from; add what is missing"),
    "empty": (BC | {"a": []}, "lists no file of the scan 'a'"),
    "a file's name": ({"s_04": stems(0), **BC}, "the scan 's_04' has the name of a file, which is not all of it; give"),
    "twice": ('{"a": ["s_00"], "a ": ["s_01"]}', "has the scan 'a' twice; put all its files into one list"),
    "no name": (BC | {"a": [1.5]}, "lists 1.5 under 'a' where the name of a file is wanted"),
    "a key": (
        BC | {"a": {"file": stems(0)}},
        "has 'file' in the scan 'a', where files, stack, .* did you mean 'files'",
    ),
    "no path": (BC | {"a": {"stack": 3, "files": stems(0)}}, "the stack of the scan 'a' is 3 where a path is wanted"),
    "stack gone": (
        BC | {"a": {"stack": "gone.zarr", "files": stems(0)}},
        r"the stack of the scan 'a', .*gone\.zarr, is not there; put it back, .* or leave \"stack\" away",
    ),
    "stack unreadable": (
        BC | {"a": {"stack": "images/s_00.tif", "stack_key": "x", "files": stems(0)}},
        r"the stack of the scan 'a' cannot be read: .*leave stack_key x away",
    ),
    "stack of another scale": (
        slices_of_another_scale,
        "have grey values from 10.* give the stack that they were cut from",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_faulty_scans_json(case: str, root: Path) -> None:
    content, words = REFUSED[case]
    tell(root, content(root) if callable(content) else content)
    with pytest.raises(BadInput, match=words) as caught:
        split_dataset(root)
    assert str(caught.value).startswith(str(root / "scans.json")) and "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["scan.json", "Scans.json", "images/scans.json", "scans_old.json"])
def test_a_scans_json_of_another_name(root: Path, caplog: pytest.LogCaptureFixture, name: str) -> None:
    tell(root).joinpath("scans.json").rename(root / name)
    if name.startswith("images"):
        (root / "scan_log.txt").touch()
    assert not any("scan" in item for item in labelled_slices(root))
    assert [str(root / name) in record.getMessage() for record in caplog.records] == [True]


@pytest.mark.parametrize(
    ("scans", "words"),
    [
        (None, r"its labelled slices are of one scan \(the 2-D files\), and --hold_out scan needs two"),
        ({"a": [*stems(0), *stems(1), *stems(2)]}, r"are of one scan \(a\), .* leave --hold_out away"),
    ],
)
def test_one_scan_cannot_be_held_out(root: Path, scans: Mapping[str, Any] | None, words: str) -> None:
    if scans:
        tell(root, scans)
    with pytest.raises(BadInput, match=words):
        split_dataset(root, hold_out="scan")


def test_two_scans_of_one_slice_cannot_be_held_out(tmp_path: Path) -> None:
    for name in ("a", "b"):
        add(tmp_path, name, plane(0, 1000, ord(name)))
    with pytest.raises(
        BadInput, match="leaves . for training and validation, which has one labelled slice; label a second"
    ):
        split_dataset(tell(tmp_path, {"a": "a", "b": "b"}), hold_out="scan")


@pytest.mark.parametrize(
    ("listed", "words"),
    [
        (
            '{"train": ["a"], "val": ["cc"]}',
            "lists 'cc', which is no file in images/ and no scan in scans.json; did you mean 'c'",
        ),
        (
            '{"train": ["a"], "val": ["folder/s_1"]}',
            "lists 'folder/s_1', and folder is one stack; list 'folder' with all",
        ),
        ('{"train": ["a"], "val": ["s_00"]}', "'s_00' stands under both train and val"),
    ],
)
def test_scans_in_splits_json_that_are_not_there(root: Path, listed: str, words: str) -> None:
    add(root, "folder/s_1", plane(0, 1000, 50))
    add(root, "folder/s_2", plane(0, 1000, 51))
    (root / "splits.json").write_text(listed)
    with pytest.raises(BadInput, match=words):
        split_dataset(tell(root, BC | {"a": stems(0), "folder": ["folder"]}))


def test_a_folder_without_labels(root: Path) -> None:
    add(root, "cell/s_1", plane(0, 1000, 1))
    (root / "labels/cell/s_1.tif").unlink()
    (root / "labels/cell").rmdir()
    with pytest.raises(
        BadInput, match=r"images/cell: this image has no file of the same stem in .*labels; add it or take"
    ):
        labelled_slices(root)


# --- what trainings knew


class Earlier:
    """What is known of an earlier training."""

    def __init__(self, split: Split, root: Path, resumed: bool = False) -> None:
        record = {"split": noted_split(split["train"], split["val"]), **noted_scans(split["train"])}
        self.records = [json.loads(json.dumps(record | {"dataset_dir": str(root)}))]
        self.resumed = resumed

    def check_seed(self, seed: int) -> None: ...


def sides_of(split: Split) -> dict[str, str]:
    return {item["stem"]: side for side in SIDES for item in split[side]}


def test_a_data_set_that_was_split_before_keeps_its_split(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Without scans.json, by a seed of its own; afterwards scans are told, and to hold them out changes nothing."""
    before = split_dataset(root, 3)
    tell(root)
    for keys in ({}, {"hold_out": "scan"}, {"new": "test"}):
        assert sides_of(split_dataset(root, trained=Earlier(before, root), **keys)) == sides_of(before)
    assert "scans.json does not tell the scans that the weights were trained with" in caplog.text
    with pytest.raises(BadInput, match=r"does not tell the scans that this training was begun with, .* put it back"):
        split_dataset(root, trained=Earlier(before, root, resumed=True))


def test_new_slices_go_where_their_scan_is(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A resumed training learns from what is new, but not from a scan that it held out; nor is a scan scored that it knows."""
    before = split_dataset(tell(root), hold_out="scan")
    assert "scans.json does not tell" not in caplog.text
    scans = {name: [*stems(i), f"new_{name}"] for i, name in enumerate("abc")}
    for i, name in enumerate("abc"):
        add(root, f"new_{name}", plane(*GREY[name], 100 + i))
    add(root, "new_d", plane(0, 2000, 200))
    tell(root, scans | {"d": "new_d"})
    sides = {scan: side for side in SIDES for scan in scans_on(before)[side]}
    for trained, keys, of_d in (
        (Earlier(before, root, resumed=True), {}, "train"),
        (Earlier(before, root), {"new": "test"}, "test"),
    ):
        split = split_dataset(root, trained=trained, **keys)
        assert sides_of(split) == sides_of(before) | {f"new_{name}": sides[name] for name in "abc"} | {"new_d": of_d}
        assert split.new == 4 and split.hold_out == "scan"
    assert "scans.json does not tell" not in caplog.text


def test_a_record_of_a_split_by_blocks_says_nothing_of_it(root: Path) -> None:
    assert noted_scans(split_dataset(root)["train"]) == noted_scans([]) == {}

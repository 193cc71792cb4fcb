"""Training, validation and test sides never share a block of neighbouring slices."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from custom.base.errors import BadInput
from custom.data import split_dataset
from custom.data.split import split_by_blocks

MakeSet = Callable[..., Path]
Items = list[dict[str, Any]]


def stacks(*depths: int, lithium: int = 5) -> Items:
    """Items of stacks with these numbers of slices; depth 1 stands for a 2-D file."""
    return [
        {"stem": f"file_{i}", "z": z, "lithium": lithium, "place": (i, z)}
        for i, depth in enumerate(depths)
        for z in range(depth)
    ]


def sides(items: Items, seed: int = 0) -> list[str]:
    """The side of every item, in order; fails where one is lost or stands twice."""
    split = split_by_blocks(items, seed)
    owner = {item["place"]: side for side, part in split.items() for item in part}
    assert sum(len(part) for part in split.values()) == len(owner) == len(items)
    return [owner[item["place"]] for item in items]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("depths", [(100,), (1,) * 100])
def test_a_hundred_slices(depths: tuple[int, ...], seed: int) -> None:
    runs = [(side, len(list(run))) for side, run in groupby(sides(stacks(*depths), seed))]
    assert [length for side, length in runs if side == "val"] == [10]
    assert [length for side, length in runs if side == "test"] == [10]
    assert sum(length for side, length in runs if side == "train") == 80


@pytest.mark.parametrize("count", [10, 13, 17, 19, 25, 57, 99, 101, 1000])
def test_about_a_tenth_each_in_one_run(count: int) -> None:
    for seed in range(5):
        runs = [(side, len(list(run))) for side, run in groupby(sides(stacks(count), seed))]
        for wanted in ("val", "test"):
            (length,) = [length for side, length in runs if side == wanted]
            assert abs(length - count / 10) < 1


@pytest.mark.parametrize("depths", [(24,) * 9, (50, 50), (7, 30, 3, 60), (40, *(1,) * 20, 40)])
def test_blocks_do_not_cross_stacks(depths: tuple[int, ...]) -> None:
    items = stacks(*depths)
    for seed in range(5):
        owners = sides(items, seed)
        for wanted in ("val", "test"):
            part = [item for item, side in zip(items, owners, strict=True) if side == wanted]
            assert part
            flat = [item for item in part if depths[item["place"][0]] == 1]
            files = {item["stem"] for item in part if item not in flat}
            # each block is one run of z within one file, or one run of 2-D files
            for stem in files:
                zs = [item["z"] for item in part if item["stem"] == stem]
                assert zs == list(range(zs[0], zs[0] + len(zs)))
            places = [item["place"][0] for item in flat]
            assert not places or places == list(range(places[0], places[0] + len(places)))
            assert len(files) + bool(flat) == 1
        assert owners.count("train") >= 0.6 * len(items)


def test_many_stacks_are_split_by_stack() -> None:
    owners = sides(stacks(*(5,) * 40))
    for wanted in ("val", "test"):
        assert owners.count(wanted) == 20
    assert all(len(set(owners[i : i + 5])) == 1 for i in range(0, 200, 5))


def test_the_seed_decides() -> None:
    items = stacks(100)
    assert sides(items, 3) == sides(items, 3)
    assert len({tuple(sides(items, seed)) for seed in range(10)}) > 3


@pytest.mark.parametrize("count", range(2, 12))
def test_few_slices(count: int) -> None:
    for seed in range(5):
        owners = sides(stacks(count), seed)
        assert owners.count("val") == 1
        assert owners.count("test") == (1 if count > 2 else 0)


def test_training_keeps_the_block_with_most_lithium() -> None:
    for seed in range(20):
        items = stacks(20, lithium=0)
        items[7]["lithium"] = 9
        assert sides(items, seed)[7] == "train"


def test_one_slice_alone(make_labelled_set: MakeSet) -> None:
    root = make_labelled_set(stacks=(1,), size=(20, 30))
    with pytest.raises(BadInput, match="one labelled slice") as caught:
        split_dataset(root)
    assert str(caught.value).startswith(str(root))


def test_files_on_disk(labelled_set: Path) -> None:
    split = split_dataset(labelled_set, seed=1, scaling={"percentiles": (2, 98)})
    assert [len(split[side]) for side in ("train", "val", "test")] == [4, 1, 1]
    assert split_dataset(labelled_set, seed=1, scaling={"fixed": (0, 65535)})["val"][0]["grey_window"] == (0.0, 65535.0)
    assert split == split_dataset(labelled_set, seed=1, scaling={"percentiles": (2, 98)})


@pytest.fixture
def own(labelled_set_2d: Path, tmp_path: Path) -> Path:
    """A copy of the 2-D set that a test may spoil."""
    return Path(shutil.copytree(labelled_set_2d, tmp_path / "own"))


def test_splits_json(own: Path) -> None:
    listed = {"train": ["slice_5", "slice_0"], "val": ["slice_3"]}
    (own / "splits.json").write_text(json.dumps(listed))
    split = split_dataset(own)
    assert [item["stem"] for item in split["train"]] == ["slice_0", "slice_5"]
    assert [item["stem"] for item in split["val"]] == ["slice_3"]
    assert split["test"] == []


@pytest.mark.parametrize(
    "content",
    [
        b'\xef\xbb\xbf{"train": ["slice_0", "slice_1"], "val": ["slice_2"]}',
        '{"train": ["slice_0", "slice_1"], "val": ["slice_2"]}'.encode("utf-16"),
        b'{"train": ["slice_0", "slice_1"], "val": "slice_2"}',
        b'{"Train": ["slice_0.tif", "slice_1.tif"], "validation": ["slice_2"], "test": null}',
        b'{"train": ["images/slice_1.tif", "labels\\\\slice_0.tif"], "val": [" ./images/slice_2 "], "test": []}',
        b'{"training": ["/data/my_slices/images/slice_0.tif", "slice_1"], "val": ["slice_2", "slice_2"], "seed": 3}',
    ],
)
def test_spellings_of_splits_json(own: Path, content: bytes) -> None:
    (own / "splits.json").write_bytes(content)
    split = split_dataset(own)
    assert [sorted(item["stem"] for item in split[side]) for side in ("train", "val", "test")] == [
        ["slice_0", "slice_1"],
        ["slice_2"],
        [],
    ]


def test_numbers_in_splits_json(own: Path) -> None:
    for z in range(6):
        for part in ("images", "labels"):
            (own / part / f"slice_{z}.tif").rename(own / part / f"{z:03d}.tif")
    (own / "splits.json").write_text('{"train": [0, "1"], "val": [2]}')
    with pytest.raises(BadInput, match="'1', which is no file"):
        split_dataset(own)
    (own / "splits.json").write_text('{"train": [0, "001"], "val": [2]}')
    assert [item["stem"] for item in split_dataset(own)["train"]] == ["000", "001"]


def test_what_splits_json_lists_under_no_side(own: Path, caplog: pytest.LogCaptureFixture) -> None:
    listed = {
        "train": ["slice_0"],
        "val": ["slice_1"],
        "unused": ["slice_2", "slice_3"],
        "_comment": "by hand",
        "seed": 1,
    }
    (own / "splits.json").write_text(json.dumps(listed))
    with caplog.at_level(logging.WARNING):
        split_dataset(own)
    (told,) = caplog.records
    assert "'unused' is no side, what it lists (2) is left out" in told.getMessage()


@pytest.mark.parametrize(
    "name",
    ["split.json", "Splits.json", "splits.json.txt", "splits.yaml", "splits_final.json", "images/splits.json"],
)
def test_a_splits_json_of_another_name(own: Path, caplog: pytest.LogCaptureFixture, name: str) -> None:
    (own / name).write_text('{"train": ["slice_0"], "val": ["slice_1"]}')
    with caplog.at_level(logging.WARNING):
        split_dataset(own)
    assert str(own / name) in caplog.records[0].getMessage()


def test_a_link_to_a_splits_json_that_is_gone(own: Path) -> None:
    (own / "splits.json").symlink_to(own / "elsewhere.json")
    with pytest.raises(BadInput, match=r"splits\.json: is no file"):
        split_dataset(own)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"train": ["slice_0"], "val": ["slice_9"]}', "'slice_9'"),
        ('{"train": ["slice_0", "slice_1"], "val": ["slice_1"]}', "'slice_1' stands under both train and val"),
        ('{"train": ["slice_0"], "test": ["slice_1"]}', "'val'"),
        ('{"val": ["slice_1"]}', "'train'"),
        ('{"train": ["slice_0"', "is not JSON of the form"),
        ('["slice_0"]', "is not JSON of the form"),
        ('{"train": 3}', "lists 3, which is no file"),
        ('{"train": true}', "lists true under 'train'"),
        ('{"train": [["slice_0"]]}', 'lists ["slice_0"] under'),
        ('{"train": [{"name": "slice_0"}]}', "lists"),
        ('[{"train": ["slice_0"], "val": ["slice_1"]}]', "is not JSON of the form"),
        ('{"train": ["slice_0"], "val": ["slice_1"], "train": ["slice_2"]}', "has 'train' twice"),
        (
            '{"train": ["slice_0"], "val": ["slice_1"], "Validation": ["slice_2"]}',
            "twice, the second time as 'Validation'",
        ),
        ('{"train": ["slice_0"], "val": ["slice_1"], "tests": ["slice_2"]}', "'tests', which is no side; write 'test'"),
        ('{"train": ["slice_0.tif"], "val": ["labels/slice_0"]}', "'slice_0' stands under both train and val"),
        ('{"train": ["Slice_0"], "val": ["slice_1"]}', "did you mean 'slice_0'?"),
        ('{"train": ["slice_0, slice_1"], "val": ["slice_2"]}', "'slice_0, slice_1', which is no file"),
        ("{'train': ['slice_0']}", "is not JSON of the form"),
        ("\xff\xfe", "is not JSON of the form"),
    ],
)
def test_faulty_splits_json(own: Path, text: str, words: str) -> None:
    (own / "splits.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(BadInput) as caught:
        split_dataset(own)
    assert str(caught.value).startswith(str(own / "splits.json"))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_evaluation_needs_no_side_but_its_own(own: Path) -> None:
    stems = sorted(path.stem for path in (own / "images").iterdir())
    (own / "splits.json").write_text(json.dumps({"test": stems}))
    assert [len(split_dataset(own, new="test")[side]) for side in ("train", "val")] == [0, 0]
    with pytest.raises(BadInput, match="lists nothing under 'train'; training needs slices there"):
        split_dataset(own)


def test_a_listed_side_without_lithium_is_told(
    make_labelled_set: MakeSet, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = Path(
        shutil.copytree(make_labelled_set(stacks=(4,), size=(20, 30), flat=True, lithium=[2]), tmp_path / "own")
    )
    (root / "splits.json").write_text('{"train": ["slice_2", "slice_1"], "val": ["slice_0"], "test": ["slice_3"]}')
    split_dataset(root)
    (record,) = caplog.records
    assert record.getMessage().startswith(
        f"{root}: 1 of 4 labelled slices hold lithium, and none of the 1 validation slices and the 1 test slices:"
    )


def test_training_without_lithium(make_labelled_set: MakeSet, tmp_path: Path) -> None:
    root = Path(
        shutil.copytree(make_labelled_set(stacks=(4,), size=(20, 30), flat=True, lithium=[2]), tmp_path / "own")
    )
    (root / "splits.json").write_text('{"train": ["slice_0", "slice_1"], "val": ["slice_2"]}')
    with pytest.raises(BadInput, match="none of the 2 training slices holds lithium"):
        split_dataset(root)

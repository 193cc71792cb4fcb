"""Slices keep the side that a training had them on; none that was trained on is ever scored."""

from __future__ import annotations

import json
import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from custom.base.errors import BadInput
from custom.data import about_side, noted_earlier, noted_split, side_to_score, split_dataset
from custom.data.known import Known, known_slices, noted
from custom.data.sides import Split, place_of

Record = dict[str, Any]
SIDES = ("train", "val", "test")


class Folder:
    """A labelled data set of 2-D slices, each of grey values of its own, known by a number."""

    def __init__(self, path: Path, count: int) -> None:
        self.path = path
        for part in ("images", "labels"):
            (path / part).mkdir(parents=True)
        for number in range(count):
            self.add(number)

    def add(self, number: int, name: str | None = None) -> None:
        grey = np.random.default_rng(number).integers(0, 60_000, (6, 8)).astype(np.uint16)
        tifffile.imwrite(self.image(name or f"s_{number}"), grey)
        tifffile.imwrite(self.label(name or f"s_{number}"), (grey > 30_000).astype(np.uint8))

    def image(self, name: str) -> Path:
        return self.path / "images" / f"{name}.tif"

    def label(self, name: str) -> Path:
        return self.path / "labels" / f"{name}.tif"

    def rename(self, name: str, to: str) -> None:
        for place in (self.image, self.label):
            place(name).rename(place(to))

    def remove(self, name: str) -> None:
        for place in (self.image, self.label):
            place(name).unlink()

    def names(self) -> list[str]:
        return [path.stem for path in (self.path / "images").iterdir()]

    def list_sides(self, **sides: list[str]) -> None:
        (self.path / "splits.json").write_text(json.dumps(sides))


@dataclass(frozen=True)
class Earlier:
    """What is known of an earlier training."""

    records: Sequence[Record] = ()
    resumed: bool = False

    def check_seed(self, seed: int) -> None: ...


def recorded(split: Split, before: list[Record], folder: Path) -> Record:
    """What a training on a split notes, as it comes back from a file."""
    record = {"split": noted_split(split["train"], split["val"]), "earlier": noted_earlier(split["train"], before)}
    return dict(json.loads(json.dumps(record | {"dataset_dir": str(folder)})))


def trained(folder: Folder, seed: int = 0, before: Record | None = None, resumed: bool = False) -> tuple[Split, Record]:
    """A training, and a resumed one where the record before is given."""
    known = [before] if before else []
    split = split_dataset(folder.path, seed, scaling={"fixed": (0, 60_000)}, trained=Earlier(known, resumed))
    return split, recorded(split, known, folder.path)


def evaluated(folder: Folder, *records: Record, seed: int = 0) -> Split:
    return split_dataset(folder.path, seed, scaling={"fixed": (0, 60_000)}, trained=Earlier(records), new="test")


def names(split: Split, side: str) -> set[str]:
    return {item["stem"] for item in split[side]}


def contents(split: Split, side: str) -> set[str]:
    return {item["digest"] for item in split[side]}


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "set", 12)


def test_the_split_is_noted_in_few_letters() -> None:
    items = [{"stem": "a", "z": z, "digest": f"d{z}"} for z in (7, 0, 1, 2, 9)] + [{"stem": "b", "z": 0, "digest": ""}]
    found = noted({"train": items, "val": [{"stem": "a", "z": 3, "digest": "e"}]})
    assert found == {"train": {"a": "0-2,7,9 d0 d1 d2 d7 d9", "b": "0 -"}, "val": {"a": "3 e"}, "test": {}}
    of_a = [("train", "a", z, f"d{z}") for z in (0, 1, 2, 7, 9)]
    assert list(known_slices({"split": found})) == [*of_a, ("train", "b", 0, ""), ("val", "a", 3, "e")]


@pytest.mark.parametrize("seed", range(4))
def test_another_seed_changes_nothing(folder: Folder, seed: int) -> None:
    split, record = trained(folder, seed=1)
    for again in (evaluated(folder, record, seed=seed), trained(folder, seed, record, resumed=True)[0]):
        assert all(names(again, side) == names(split, side) for side in SIDES)
        assert again.origin == "that of the training" and again.new == 0


def test_new_slices_are_tested_on_or_learned_from(folder: Folder, caplog: pytest.LogCaptureFixture) -> None:
    split, record = trained(folder, seed=1)
    folder.add(40, "between_0")
    folder.add(41, "s_100")
    with caplog.at_level(logging.INFO):
        found = evaluated(folder, record, seed=5)
        resumed, later = trained(folder, 3, record, resumed=True)
    assert names(found, "test") == names(split, "test") | {"between_0", "s_100"} and found.new == 2
    assert "2 slices are new since then and count: 2 on the test side." in caplog.text
    assert names(resumed, "train") == names(split, "train") | {"between_0", "s_100"}
    assert "2 slices are new since then and count: 2 on the training side." in caplog.text
    again = evaluated(folder, later)
    assert names(again, "test") == names(split, "test") and again.new == 0
    assert about_side(side_to_score(again, "test", "set"))["trained_on"] == 0


def test_splits_json_decides_on_new_slices_alone(folder: Folder, caplog: pytest.LogCaptureFixture) -> None:
    split, record = trained(folder, seed=1)
    for number in (40, 41, 42):
        folder.add(number, f"new_{number}")
    learned = sorted(names(split, "train"))
    folder.list_sides(train=[*learned[1:], "new_40"], val=sorted(names(split, "val")), test=["new_41", learned[0]])
    with caplog.at_level(logging.INFO):
        found = evaluated(folder, record)
    assert names(found, "test") == names(split, "test") | {"new_41"}
    assert names(found, "train") == {*learned, "new_40"}
    assert "1 on none, for splits.json does not list them" in caplog.text
    assert "splits.json has 1 slices on another side than the training had" in caplog.text


def test_renamed_and_swapped_slices_are_known_by_their_content(folder: Folder) -> None:
    split, record = trained(folder, seed=1)
    (tested,), (learned, *_) = names(split, "test"), sorted(names(split, "train"))
    folder.rename(tested, "x")
    folder.rename(learned, tested)
    folder.rename("x", learned)
    assert names(evaluated(folder, record), "test") == {learned}  # by its values, whatever bore the name before
    folder.rename(learned, "kept_apart")
    assert names(evaluated(folder, record), "test") == {"kept_apart"}


def test_a_slice_that_is_gone_for_a_while_stays_one_that_was_trained_on(folder: Folder) -> None:
    split, record = trained(folder, seed=1)
    learned = sorted(names(split, "train"))[0]
    number = int(learned.removeprefix("s_"))
    folder.remove(learned)
    _, later = trained(folder, 2, record, resumed=True)
    folder.add(number, "back_again")
    assert "back_again" in names(evaluated(folder, later), "train")
    assert "back_again" in names(trained(folder, 2, later, resumed=True)[0], "train")


def test_a_changed_slice_stays_on_its_side_and_is_told(folder: Folder, caplog: pytest.LogCaptureFixture) -> None:
    split, record = trained(folder, seed=1)
    (tested,), learned = names(split, "test"), sorted(names(split, "train"))[0]
    folder.add(70, tested)
    folder.add(71, learned)
    for again in (evaluated(folder, record), trained(folder, 0, record, resumed=True)[0]):
        assert all(names(again, side) == names(split, side) for side in SIDES)
    assert "2 slices have the name of one that was trained, validated or tested on" in caplog.text


def test_another_data_set_is_split_by_itself(folder: Folder, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    _, record = trained(folder, seed=1)
    other = Folder(tmp_path / "other", 0)
    for number in range(50, 62):
        other.add(number, f"t_{number}")
    found = evaluated(other, record, seed=4)
    assert all(names(found, s) == names(split_dataset(other.path, 4, scaling={"fixed": (0, 60_000)}), s) for s in SIDES)
    assert about_side(side_to_score(found, "train", "other"))["trained_on"] == 0 and not caplog.text
    with pytest.raises(BadInput, match="holds none of the slices that this training was begun with"):
        trained(other, 4, record, resumed=True)
    other.rename("t_50", "s_0")  # an ordinary name
    doubtful = evaluated(other, record, seed=4)
    assert doubtful.origin == "the data set's own" and about_side(doubtful["test"])["trained_on"] is None
    assert "1 slices have the names of slices that the weights know, and none the same grey values" in caplog.text


def test_a_copied_part_of_the_data_is_not_scored(folder: Folder, tmp_path: Path) -> None:
    split, record = trained(folder, seed=1)
    numbers = [int(stem.removeprefix("s_")) for stem in sorted(names(split, "train"))]
    other = Folder(tmp_path / "other", 0)
    for number in numbers[:4]:
        other.add(number, f"renamed_{number}")
    found = evaluated(other, record)
    with pytest.raises(BadInput, match=r"test side is empty, of its 4 slices 4 were trained on and 0 validated on"):
        side_to_score(found, "test", "other")
    with pytest.raises(BadInput, match=r"4 of the 4 slices of its train side were trained on .* --allow_seen true"):
        side_to_score(found, "train", "other")
    seen = side_to_score(found, "train", "other", allow_seen=True)
    assert about_side(seen, True) == {
        "scored": 4,
        "trained_on": 4,
        "validated_on": 0,
        "new_since_training": 0,
        "sides": "that of the training",
        "allow_seen": True,
    }
    other.add(90)
    assert names(evaluated(other, record), "test") == {"s_90"}


def test_weights_that_were_trained_further_know_both_data_sets(folder: Folder, tmp_path: Path) -> None:
    split, record = trained(folder, seed=1)
    other = Folder(tmp_path / "other", 0)
    for number in range(50, 60):
        other.add(number)
    _, tuned = trained(other, 0, record)
    assert all(names(evaluated(folder, tuned, seed=6), side) == names(split, side) for side in SIDES)
    # on the first data set again, with another seed: what the parent was trained on is not validated on
    again, _ = trained(folder, 6, tuned)
    assert all(names(again, side) == names(split, side) for side in SIDES)


def test_weights_that_know_all_slices_but_new_ones(folder: Folder, tmp_path: Path) -> None:
    """A training that begins with them validates on new ones, and is refused where there are none."""
    split, record = trained(folder, seed=1)
    other = Folder(tmp_path / "other", 0)
    for name in sorted(names(split, "train"))[:4]:
        other.add(int(name.removeprefix("s_")), name)
    for extra in ([], [60]):
        for number in extra:
            other.add(number)
        with pytest.raises(BadInput, match=r"leaves nothing to validate on .* list them under val in splits.json"):
            trained(other, 0, record)
    other.list_sides(train=["s_0"], val=["s_60"])
    assert names(trained(other, 0, record)[0], "val") == {"s_60"}  # the cure
    (other.path / "splits.json").unlink()
    for number in range(61, 70):
        other.add(number)
    found, _ = trained(other, 0, record)
    assert len(found["val"]) == len(found["test"]) == 1
    assert not (names(found, "val") | names(found, "test")) & names(split, "train")


def test_an_ensemble_scores_what_none_of_its_members_was_trained_on(folder: Folder) -> None:
    pairs = [trained(folder, seed) for seed in (1, 2, 3)]
    found = evaluated(folder, *(record for _, record in pairs))
    learned = set.union(*(names(split, "train") for split, _ in pairs))
    assert not learned & (names(found, "val") | names(found, "test"))
    assert names(found, "train") == learned


@pytest.mark.parametrize("side", ["train", "val"])
def test_a_training_needs_its_sides_to_go_on(folder: Folder, side: str) -> None:
    split, record = trained(folder, seed=1)
    for name in names(split, side):
        folder.remove(name)
    folder.add(80)
    with pytest.raises(BadInput, match="that this training was begun with is there any more; put them back"):
        trained(folder, 0, record, resumed=True)


def test_what_is_gone_is_told(folder: Folder, caplog: pytest.LogCaptureFixture) -> None:
    split, record = trained(folder, seed=1)
    learned = sorted(names(split, "train"))[0]
    folder.remove(learned)
    trained(folder, 0, record, resumed=True)
    assert f"1 slices that this training was begun with are gone ({learned}, slice 0 first)" in caplog.text


@pytest.mark.parametrize("stem", ["s_3", "s_4"])
def test_a_record_of_files_alone(folder: Folder, stem: str, caplog: pytest.LogCaptureFixture) -> None:
    record = {"train": ["s_0", stem], "val": ["s_1"]}
    found = evaluated(folder, record)
    assert {"s_0", stem} <= names(found, "train") and "s_1" in names(found, "val") and not caplog.text
    with pytest.raises(BadInput, match="2 of the .* slices of its train side were trained on"):
        side_to_score(found, "train", "set")
    unclear = evaluated(folder, {"train": ["s_0", "s_1"], "val": ["s_1"]})
    assert "says of 1 stacks (s_1 first)" in caplog.text
    assert about_side(unclear["test"])["trained_on"] is None
    assert evaluated(folder, {"train": ["cell_1000"], "val": ["cell_1013"]}, seed=3).origin == "the data set's own"


def test_copies_are_on_one_side(folder: Folder, caplog: pytest.LogCaptureFixture) -> None:
    folder.list_sides(train=["s_0", "s_1"], val=["s_2", "a"], test=["s_3", "b", "c"])
    for number, name in ((0, "a"), (1, "b"), (2, "c")):
        folder.add(number, name)
    split, record = trained(folder)
    assert [names(split, side) for side in SIDES] == [{"s_0", "s_1"}, {"s_2"}, {"s_3"}]
    assert "3 slices hold the same grey values as a slice on another side (a, slice 0 first)" in caplog.text
    assert names(evaluated(folder, record), "test") == {"s_3"}
    folder.list_sides(train=["s_0", "s_1"], val=["a"])
    with pytest.raises(BadInput, match=r"all 1 validation slices \(a, slice 0 first\) hold the same grey"):
        trained(folder)


def history(folder: Folder, rng: random.Random) -> Callable[[], None]:
    """Something that happens to a folder between two commands."""

    def add() -> None:
        for _ in range(rng.randint(1, 3)):
            folder.add(rng.randint(100, 10_000), f"{rng.choice('asz')}_{rng.randint(0, 999)}")

    def rename() -> None:
        folder.rename(rng.choice(folder.names()), f"r_{rng.randint(0, 99_999)}")

    def copy() -> None:
        name = rng.choice(folder.names())
        for place in (folder.image, folder.label):
            place(f"c_{name}").write_bytes(place(name).read_bytes())

    def remove() -> None:
        if len(folder.names()) > 9:
            folder.remove(rng.choice(folder.names()))

    def change() -> None:
        folder.add(rng.randint(10_000, 20_000), rng.choice(folder.names()))

    return rng.choice([add, add, rename, copy, remove, change])


@pytest.mark.parametrize("seed", range(10))
def test_random_histories(folder: Folder, seed: int) -> None:
    """Trained, changed, resumed with other seeds, evaluated: judged by a list of all that was ever learned from."""
    rng = random.Random(seed)
    split, record = trained(folder, rng.randint(0, 99))
    ever = {side: contents(split, side) for side in SIDES}
    for _ in range(6):
        history(folder, rng)()
        found = evaluated(folder, record, seed=rng.randint(0, 99))
        for side in ("val", "test"):
            assert not contents(found, side) & ever["train"]
        assert not contents(found, "test") & ever["val"]
        if rng.random() < 0.6:
            try:
                split, record = trained(folder, rng.randint(0, 99), record, resumed=True)
            except BadInput as refusal:
                assert "put them back" in str(refusal)
                continue
            assert not contents(split, "train") & (ever["val"] | ever["test"])
            assert not contents(split, "val") & ever["train"]
            for side in SIDES:
                ever[side] |= contents(split, side)


def test_places_are_those_of_the_items(folder: Folder) -> None:
    split, record = trained(folder)
    known = Known([record])
    assert {place_of(item): side for side in SIDES for item in split[side]} == known.places


def test_a_split_without_a_test_side(folder: Folder) -> None:
    folder.list_sides(train=["s_0", "s_1"], val=["s_2"])
    _, record = trained(folder)
    with pytest.raises(BadInput, match="list them in splits.json if there is one, or give --section val$"):
        side_to_score(evaluated(folder, record), "test", "set")
    assert len(side_to_score(evaluated(folder, record), "val", "set")) == 1
    folder.list_sides(train=["s_0", "s_1"], val=["s_2"], test=["s_3"])
    assert names(side_to_score(evaluated(folder, record), "test", "set").split, "test") == {"s_3"}


@pytest.mark.parametrize(
    "numbers",
    [range(5, 24), range(23, -1, -1), [*range(100, 110), *range(24)]],
    ids=["cut at its start", "turned round", "begun earlier"],
)
def test_a_stack_whose_slices_have_moved(tmp_path: Path, numbers: list[int]) -> None:
    """Their grey values tell, not their places, where other slices lie now."""

    def write(numbers: list[int]) -> None:
        planes = [np.random.default_rng(number).integers(0, 60_000, (6, 8)).astype(np.uint16) for number in numbers]
        for part, volume in (("images", np.stack(planes)), ("labels", (np.stack(planes) > 30_000).astype(np.uint8))):
            tifffile.imwrite(folder.path / part / "cell.tif", volume, photometric="minisblack")

    folder = Folder(tmp_path / "set", 0)
    write(list(range(24)))
    split, record = trained(folder, 1)
    write(numbers)
    for again in (evaluated(folder, record, seed=3), trained(folder, 3, record, resumed=True)[0]):
        assert all(contents(again, side) == contents(split, side) for side in ("val", "test"))

"""The bench of recipes: its cases, its runs and its tables, beside what is reckoned by hand; no network is trained."""

from __future__ import annotations

import json
import logging
import shutil
import sys
from pathlib import Path
from typing import Any

import cli
import numpy as np
import pytest
import tifffile
import torch
from conftest import write_labelled_set

sys.path.insert(0, str(cli.ROOT / "scripts"))

import benchmark_accuracy
from comparing import runs as of_runs
from comparing.accuracy import SCORES, sections, summary
from comparing.cases import cases_of, evenly
from comparing.derived import reading_of_case, write_case
from comparing.recipes import Recipe, check_classes, recipes_of
from comparing.runs import Bench, Runs
from comparing.sets import named, readings_of
from comparing.task import Budget, Task, keep_probability

from custom.base.errors import BadInput
from custom.data import Reading, split_dataset, unlabelled_slices
from custom.stack import open_stack
from custom.study.page import markdown

SHAPE = (12, 30, 32)


@pytest.fixture(scope="module")
def stacks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three stacks, each with lithium in all slices."""
    return write_labelled_set(tmp_path_factory.mktemp("bench") / "stacks", stacks=(6, 4, 5), size=SHAPE[1:])


@pytest.fixture(scope="module")
def flat(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nine 2-D slices, split by hand."""
    folder = write_labelled_set(
        tmp_path_factory.mktemp("bench") / "flat", stacks=(9,), size=SHAPE[1:], flat=True, seed=5
    )
    sides = {"train": range(6), "val": [6], "test": [7, 8]}
    listed = {side: [f"slice_{z}" for z in numbers] for side, numbers in sides.items()}
    (folder / "splits.json").write_text(json.dumps(listed))
    return folder


def test_every_stack_is_left_out_once_and_never_trained_on(stacks: Path) -> None:
    split = split_dataset(stacks, 3)
    cases = cases_of("stacks", split, ["scans"], ["all"], 3)
    assert [case.test for case in cases] == ["stack_0", "stack_1", "stack_2"]
    every = sorted([item["stem"], item["z"]] for side in split.values() for item in side)
    for case, depth in zip(cases, (6, 4, 5), strict=True):
        assert case.places["test"] == [[case.test, z] for z in range(depth)]
        assert sorted(sum(case.places.values(), [])) == every and case.sides["val"]
        assert case.test not in {stem for side in ("train", "val") for stem, _ in case.places[side]}


def test_a_split_by_hand_is_reversed_and_its_own_side_taken_once(flat: Path) -> None:
    split = split_dataset(flat)
    own, reverse = cases_of("flat", split, ["split", "scans"], ["all"], 0)
    assert (own.test, reverse.test) == ("own split", "train side")
    assert reverse.places["train"] == own.places["test"] and reverse.places["test"] == own.places["train"]
    assert reverse.places["val"] == own.places["val"] == [["slice_6", 0]]


def test_few_labels_are_spread_evenly_and_show_what_is_looked_for() -> None:
    items = [{"stem": f"s{z}", "z": 0, "lithium": 5 * (z % 5 == 2), "classes": (0, 0)} for z in range(20)]
    for seed in range(6):
        (one,) = evenly(items, 1, seed)
        assert one["lithium"]
        four = [items.index(item) for item in evenly(items, 4, seed)]
        assert np.diff(four).tolist() == [5, 5, 5] and four[0] == 2
        assert evenly(items, 3, seed) == evenly(items, 3, seed)
    assert len({evenly(items, 1, seed)[0]["stem"] for seed in range(20)}) > 1
    items[7]["classes"], items[17]["classes"] = (1, 0), (0, 1)
    assert [item["stem"] for item in evenly(items, 2, 0, classes=2)] == ["s7", "s17"]


def test_more_labels_than_slices_are_all_of_them_and_it_is_said(flat: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "accuracy")
    cases = cases_of("flat", split_dataset(flat), ["split"], ["2", "6", "7", "all"], 0)
    assert [(case.labels, len(case.sides["train"]), len(case.others)) for case in cases] == [
        ("2", 2, 4),
        ("6", 6, 0),
        ("7", 6, 0),
        ("all", 6, 0),
    ]
    (said,) = caplog.messages
    assert said == "flat, own split: has 6 training slices, not 7; all are used."


@pytest.mark.parametrize("kind", ["stacks", "flat"])
def test_what_is_written_is_read_as_the_case(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """The same slices on the same sides, with the grey window and the voxels that they have in the set."""
    dataset: Path = request.getfixturevalue(kind)
    split = split_dataset(dataset, 1)
    (case,) = cases_of(kind, split, ["split"], ["2"], 1)
    written = split_dataset(write_case(case, tmp_path / "set", {"a": 1}), 7, reading=reading_of_case(Reading()))
    for side, items in case.sides.items():
        assert len(written[side]) == len(items)
        for found, item in zip(written[side], items, strict=True):
            assert found["stem"].removesuffix(f"_{side}") == item["stem"] and found["z"] == item["z"]
            assert found["grey_window"] == item["grey_window"] and found["digest"] == item["digest"]
            assert found["lithium"] == item["lithium"]
    before = (tmp_path / "set/splits.json").stat().st_mtime_ns
    write_case(case, tmp_path / "set", {"a": 1})
    assert (tmp_path / "set/splits.json").stat().st_mtime_ns == before
    write_case(case, tmp_path / "set", {"a": 2})
    assert (tmp_path / "set/splits.json").stat().st_mtime_ns != before


@pytest.mark.parametrize("kind", ["stacks", "flat"])
def test_what_nobody_labelled_is_laid_beside_a_case(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """All that a recipe may learn from without labels, and no slice of another side."""
    dataset: Path = request.getfixturevalue(kind)
    (case,) = cases_of(kind, split_dataset(dataset, 1), ["split"], ["1"], 1)
    folder = write_case(case, tmp_path / "set", {"a": 1})
    laid = sorted(str(path) for path in (folder / "unlabelled").iterdir())
    split = split_dataset(folder, 7, reading=reading_of_case(Reading()))
    rest = unlabelled_slices(laid, split, str(folder), {"percentiles": (0.5, 99.5)})
    found = [open_stack(item["image"]).read(item["z"], item["z"] + 1)[0].tobytes() for item in rest.items]
    others = [open_stack(item["image"]).read(item["z"], item["z"] + 1)[0].tobytes() for item in case.others]
    scored = [item for side in ("val", "test") for item in case.sides[side]]
    assert set(found) <= set(others) and len(found) == len(set(found)) >= 3
    assert not {open_stack(i["image"]).read(i["z"], i["z"] + 1)[0].tobytes() for i in scored} & set(found)
    if kind == "flat":
        assert sorted(found) == sorted(others)


def test_told_scans_are_told_in_a_case_too(flat: Path, tmp_path: Path) -> None:
    dataset = tmp_path / "told"
    shutil.copytree(flat, dataset)
    names = [f"slice_{z}" for z in range(9)]
    tifffile.imwrite(
        tmp_path / "b.tif",
        np.stack([tifffile.imread(flat / f"images/{n}.tif") for n in names[5:]]),
        photometric="minisblack",
    )
    told = {"_note": "", "a": names[:5], "b": {"stack": "../b.tif", "files": names[5:]}}
    (dataset / "scans.json").write_text(json.dumps(told))
    cases = cases_of("told", split_dataset(dataset, 1), ["split", "scans"], ["1"], 1)
    assert [case.test for case in cases] == ["own split", "a", "b"]
    folder = write_case(cases[0], tmp_path / "set", {"a": 1})
    written = json.loads((folder / "scans.json").read_text())
    assert sorted(written["a"]) == names[:5] and sorted(written["b"]["files"]) == names[5:]
    assert (dataset / written["b"]["stack"]).samefile(tmp_path / "b.tif")
    assert {path.name.partition("_")[0] for path in (folder / "unlabelled").iterdir()} == {"a", "b"}
    assert {item["scan"] for item in split_dataset(folder, 3, reading=reading_of_case(Reading()))["test"]} == {"b"}


class Stub:
    """Takes half of the slices' grey values for lithium, and counts how often it is asked."""

    def __init__(self, fails: bool = False) -> None:
        self.calls, self.fails = 0, fails

    def __call__(self, task: Task, folder: Path) -> dict[str, Any]:
        self.calls += 1
        if self.fails:
            raise BadInput("it diverged")
        for piece in task.sides["test"]:
            keep_probability(folder, piece, np.where(piece.image > 0.5, 0.9, 0.2))
        return {"steps": 1, "minutes": 0.1, "seed": task.seed}


def bench(out: Path, patches: int = 8) -> Bench:
    sets = {"flat": (Reading(), "digest")}
    return Bench(out, Runs(out / "runs.jsonl"), Budget(None, 1, patches), torch.device("cpu"), sets)


def test_what_is_finished_is_not_run_again_and_the_same_run_serves_twice(flat: Path, tmp_path: Path) -> None:
    stub, failing = Stub(), Stub(fails=True)
    recipes = [Recipe("stub", stub), Recipe("failing", failing)]
    split = split_dataset(flat)
    cases = cases_of("flat", split, ["split"], ["9", "all"], 0) + cases_of("flat", split, ["split"], ["all"], 1)
    bench(tmp_path).run(cases, recipes)
    assert stub.calls == 2 and failing.calls == 3  # all labels are as many as nine; a failure serves for nothing
    bench(tmp_path).run(cases, recipes)
    assert stub.calls == 2 and failing.calls == 6
    rows = Runs(tmp_path / "runs.jsonl").rows
    assert len(rows) == 6 and {row["failed"] for row in rows if row["recipe"] == "failing"} == {"it diverged"}
    assert not list(tmp_path.rglob("probability"))
    bench(tmp_path).run(cases, [Recipe("stub", stub, {"my.json": "changed"})])
    assert stub.calls == 4 and [row["recipe"] for row in Runs(tmp_path / "runs.jsonl").rows] == ["stub", "failing"] * 3
    with pytest.raises(
        BadInput, match=r"runs.jsonl: its runs were made with .*patches_per_epoch 8.*; give the same, or"
    ):
        bench(tmp_path, patches=9)


def test_a_run_whose_line_is_taken_out_is_run_again(flat: Path, tmp_path: Path) -> None:
    stub = Stub()
    cases = [case for seed in (0, 1) for case in cases_of("flat", split_dataset(flat), ["split"], ["all"], seed)]
    bench(tmp_path).run(cases, [Recipe("stub", stub)])
    (first, second) = (tmp_path / "runs.jsonl").read_text().splitlines()
    (tmp_path / "runs.jsonl").write_text(f"{second}\n")
    bench(tmp_path).run(cases, [Recipe("stub", stub)])
    assert stub.calls == 3 and (tmp_path / "runs.jsonl").read_text().splitlines() == [second, first]


def test_scores_are_those_of_the_slices(flat: Path, tmp_path: Path) -> None:
    """Dice of all voxels, the volume's error and the calibration's, reckoned from the files themselves."""
    cases = cases_of("flat", split_dataset(flat), ["split"], ["all"], 0)
    bench(tmp_path).run(cases, [Recipe("stub", Stub())])
    (row,) = Runs(tmp_path / "runs.jsonl").rows
    low, high = split_dataset(flat)["test"][0]["grey_window"]
    images, labels = (
        np.stack([tifffile.imread(flat / f"{part}/slice_{z}.tif") for z in (7, 8)]).astype(float)
        for part in ("images", "labels")
    )
    found = (images - low) / (high - low) > 0.5
    both, scores = np.count_nonzero(found & (labels == 1)), row["scores"]
    assert scores["dsc_d"] == pytest.approx(2 * both / (found.sum() + labels.sum()))
    assert scores["volume_error"] == pytest.approx((found.sum() - labels.sum()) / labels.sum())
    apart = [abs(share * where.sum() - labels[where].sum()) for share, where in ((0.9, found), (0.2, ~found))]
    assert scores["calibration_error"] == pytest.approx(sum(apart) / labels.size, abs=1e-5)
    assert scores["dsc_a"] == pytest.approx(
        np.mean([2 * (f & (t == 1)).sum() / (f.sum() + t.sum()) for f, t in zip(found, labels, strict=True)])
    )
    assert scores["surface_dice_b"] > 0 and row["slices"] == {"train": 6, "val": 1, "test": 2}


@pytest.mark.parametrize(
    ("metrics", "share"),
    [
        ({}, None),
        ({"true_volume_in_range": True}, 1.0),
        (
            {
                "true_volume_in_range": True,
                "scans": {"a": {"true_volume_in_range": False}, "b": {"true_volume_in_range": True}},
            },
            0.5,
        ),
        (
            {
                "classes": {
                    "pit": {"true_volume_in_range": False},
                    "dendrite": {"scans": {"a": {"true_volume_in_range": True}}},
                }
            },
            0.5,
        ),
    ],
)
def test_share_of_scans_whose_volume_is_as_stated(metrics: dict[str, Any], share: float | None) -> None:
    assert of_runs.truth_in_range(metrics) == share


def test_scores_of_several_classes_are_means() -> None:
    metrics = dict.fromkeys(of_runs.KEPT, 0.5) | {"shape": {"hd95_b": 3.0}}
    metrics |= {"classes": {"pit": {"volume_error": -0.2}, "dendrite": {"volume_error": 0.4}}}
    found = of_runs.scores_of(metrics)
    assert found["volume_error"] == pytest.approx(0.3) and found["hd95_b"] == 3 and found["surface_dice_b"] is None


def made(dataset: str, test: str, recipe: str, seed: int, dice: float | None, volume: float = 0.1) -> dict[str, Any]:
    names = [score.name for score in SCORES]
    scores = dict.fromkeys(names, dice) | {"volume_error": volume}
    row = {"set": dataset, "test": test, "labels": "all", "seed": seed, "recipe": recipe}
    return row | ({"scores": scores} if dice is not None else {"failed": "it diverged"})


def test_the_table_is_what_one_reckons_by_hand() -> None:
    rows = [
        made("a", "own split", "x", 0, 0.9, -0.3),
        made("a", "own split", "x", 1, 0.7, 0.1),
        made("b", "s1", "x", 0, 0.5),
        made("b", "s2", "x", 0, 0.6),
        made("a", "own split", "y", 0, 0.8),
        made("a", "own split", "y", 1, 0.8),
        made("b", "s1", "y", 0, None),
        made("b", "s2", "y", 0, 0.9),
        made("b", "s2", "y", 1, 0.1),  # not of x: does not count
    ]
    found = summary(rows)
    assert found["left_out"] == 1
    first = next(one for one in found["places"] if (one["set"], one["recipe"]) == ("a", "x"))
    assert first["dsc_d"] == pytest.approx({"mean": 0.8, "spread": 0.02**0.5, "worst": 0.7, "worst_seed": 1})
    # of the volume the sign does not count, but is shown of the worst
    assert first["volume_error"] == pytest.approx({"mean": 0.2, "spread": 0.02**0.5, "worst": -0.3, "worst_seed": 0})
    assert first["hd95_b"]["worst"] == 0.9  # the highest is the worst
    x, y = found["over_sets"]
    # a set counts once, however many scans it has: (0.8 + (0.5 + 0.6) / 2) / 2
    assert x["dsc_d"]["mean"] == pytest.approx(0.675)
    assert (x["dsc_d"]["worst"], x["dsc_d"]["worst_set"], x["dsc_d"]["worst_run"]) == (0.5, "b, s1", 0.5)
    assert y["dsc_d"] is None and y["failed"] == 1
    text = markdown("t", sections(found, rows))
    assert "| x | all | Dice (d) | 0.6750 | 0.5000 (b, s1) | 0.5000 (b, s1, seed 0) |  |" in text
    assert "| y | all | Dice (d) | – | – | – | 1 |" in text
    assert "| a, own split | all | x | 0, 1 | 0.8000 ± 0.1414, worst 0.7000 (seed 1) |" in text
    assert "1 runs are left out" in text and "y on b, s1, seed 0: it diverged" in text


def test_recipes_are_files_or_known_names(tmp_path: Path) -> None:
    mine = tmp_path / "my.json"
    mine.write_text("{}")
    one, two = recipes_of([f"mine={mine}", "otsu"])
    assert (one.name, two.name) == ("mine", "otsu")
    assert list(one.files) == ["bundle/configs/train.json", str(mine)] and not two.files
    (default,) = recipes_of([f"default={cli.ROOT}/bundle/configs/train.json"])
    assert [Path(name).name for name in default.files] == ["train.json"]
    check_classes([one], "set", ["pit", "dendrite"])
    with pytest.raises(BadInput, match=r"--recipes otsu: look for one class alone, and set has several"):
        check_classes([one, two], "set", ["pit", "dendrite"])


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["mine=gone.json"], r"--recipes mine=gone.json: there is no file .*gone.json; give the paths"),
        (["nothing"], r"--recipes nothing: is no known method \(unet.*write NAME=overlay.json"),
        (["otsu", "otsu"], r"--recipes otsu: otsu is given twice"),
        (["a/b=x.json"], r"'a/b' is no name"),
    ],
)
def test_recipes_that_cannot_be(words: list[str], sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence):
        recipes_of(words)


def test_sets_and_their_keys(tmp_path: Path) -> None:
    found = readings_of(["a", "b"], ["b={'classes': ['pit', 'dendrite']}"])
    assert found == {"a": Reading(), "b": Reading(classes=("pit", "dendrite"))}
    with pytest.raises(BadInput, match="'c' is none of --datasets; begin with one of a, b"):
        readings_of(["a", "b"], ["c={}"])
    with pytest.raises(BadInput, match="--keys a={'clases': 1}: is not of the form a="):
        readings_of(["a"], ["a={'clases': 1}"])
    with pytest.raises(BadInput, match="has the name of"):
        named([tmp_path / "x/set", tmp_path / "y/set"])


def test_refusals_before_anything_is_written(flat: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    given = ["--epochs", "1", "--recipes", "otsu", "--output_dir", str(out), "--datasets"]
    (tmp_path / "nothing").mkdir()
    assert benchmark_accuracy.main([*given, str(tmp_path / "nothing")]) == 2
    assert "nothing/images: there is no such folder; a labelled data set holds" in capsys.readouterr().err
    assert benchmark_accuracy.main(["--table", "--output_dir", str(out)]) == 2
    assert capsys.readouterr().err == f"error: {out}: holds no runs yet; give the command without --table\n"
    assert not out.exists()
    with pytest.raises(SystemExit, match="2"):
        benchmark_accuracy.main([*given, str(flat), "--labels", "0"])
    assert "0: is no number of slices; give 1, 2, ... or all" in capsys.readouterr().err


def test_a_bench_from_the_command_line(flat: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    given = ["--datasets", str(flat), "--recipes", "otsu", "--epochs", "1", "--output_dir", str(out), "--device", "cpu"]
    with cli.own_process([]):
        assert benchmark_accuracy.main([*given, "--protocols", "split", "scans"]) == 0
    told = capsys.readouterr().out
    assert "# Accuracy, 1 x 640 patches of training each, cpu, 1 threads" in told
    assert "| flat, train side | all | otsu | 0 |" in told
    kept = json.loads((out / "accuracy.json").read_text())
    assert {one["test"] for one in kept["places"]} == {"own split", "train side"} and len(kept["runs"]) == 2
    assert benchmark_accuracy.main(["--table", "--output_dir", str(out)]) == 0
    assert capsys.readouterr().out == told

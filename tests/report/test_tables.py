"""CSV, JSON and terminal tables, read back by their own standard readers."""

from __future__ import annotations

import csv
import json
import os
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch

from custom.base.errors import BadInput
from custom.metrics import ShapeScores, overlap_scores, pooled_scores
from custom.report import scores_table, shape_line, write_json, write_scores_csv


def row(z: int, counts: list[int]) -> dict[str, object]:
    shape = ShapeScores().add(("cell", z), np.eye(2), np.full((2, 2), 1 if sum(counts) else 255))
    return {"stack": 'cell "7", left', "z": z, **pooled_scores(torch.tensor([counts])), **shape}


def strict_json(path: Path) -> object:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    return json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)


@contextmanager
def files_limited_to(size: int) -> Iterator[None]:
    """Let the system refuse to write beyond `size` bytes, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_csv_reads_back(tmp_path: Path) -> None:
    write_scores_csv(tmp_path / "new" / "slices.csv", [row(3, [1, 2, 3, 4]), row(4, [0, 0, 0, 0])])
    with open(tmp_path / "new" / "slices.csv", newline="", encoding="utf-8") as file:
        first, second = csv.DictReader(file)
    assert list(first) == [
        *["stack", "z", "tp", "fp", "fn", "tn", "dsc", "iou"],
        *["lithium_voxels_true", "lithium_voxels_predicted"],
        *["surface_dice", "hd95", "cldice", "components_true", "components_predicted"],
    ]
    assert (first["stack"], first["z"], first["tp"], first["tn"]) == ('cell "7", left', "3", "1", "4")
    assert float(first["dsc"]) == pytest.approx(2 / 7)
    assert (first["lithium_voxels_true"], first["lithium_voxels_predicted"]) == ("4", "3")
    assert (first["hd95"], first["components_predicted"]) == ("1.0", "1")
    # nothing labelled
    assert (second["dsc"], second["iou"], second["tp"], second["hd95"], second["cldice"]) == ("", "", "0", "", "")


@pytest.mark.parametrize("change", [{"recall": 1.0}, {"dsc": ...}])
def test_csv_refuses_other_columns(tmp_path: Path, change: dict[str, object]) -> None:
    wrong = {**row(3, [1, 2, 3, 4]), **change}
    wrong = {key: value for key, value in wrong.items() if value is not ...}
    with pytest.raises(ValueError, match="must have the columns stack, z"):
        write_scores_csv(tmp_path / "slices.csv", [wrong])
    assert not list(tmp_path.iterdir())


def test_json_is_strict_and_converts_what_the_project_holds(tmp_path: Path) -> None:
    content = {
        "nan": float("nan"),
        "nested": [(1, np.float32("inf")), {"count": np.int64(3_000_000_000)}],
        "array": np.array([[1.5, np.nan]]),
        "tensor": torch.tensor(0.25),
        "path": Path("runs") / "a",
        "flag": np.bool_(True),
        "unit": "µm",
        "none": None,
    }
    write_json(tmp_path / "summary.json", content)
    assert strict_json(tmp_path / "summary.json") == {
        "nan": None,
        "nested": [[1, None], {"count": 3_000_000_000}],
        "array": [[1.5, None]],
        "tensor": 0.25,
        "path": os.path.join("runs", "a"),
        "flag": True,
        "unit": "µm",
        "none": None,
    }
    with pytest.raises(TypeError):
        write_json(tmp_path / "summary.json", {"set": {1}})


def write_long_json(path: Path) -> None:
    write_json(path, list(range(10_000)))


def write_long_csv(path: Path) -> None:
    write_scores_csv(path, (row(z, [1, 2, 3, 4]) for z in range(1_000)))


@pytest.mark.parametrize("write", [write_long_json, write_long_csv])
def test_a_full_disk_is_refused_and_the_old_file_stays(tmp_path: Path, write: Callable[[Path], None]) -> None:
    path = tmp_path / "result"
    path.write_text("old")
    with files_limited_to(1_000), pytest.raises(BadInput, match=r"result cannot be written \(File too large\)"):
        write(path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
    write(path)
    assert path.stat().st_size > 10_000
    assert list(tmp_path.iterdir()) == [path]


def test_table_holds_every_score_and_is_aligned() -> None:
    scores = overlap_scores(torch.tensor([[5, 5, 5, 5], [0, 0, 0, 20], [0, 1, 0, 19]]))
    head, *lines, foot = scores_table(scores).splitlines()
    assert len(lines) == 4
    for line, key in zip(lines, "abcd", strict=True):
        assert line.startswith(f"{key}  ")
        for title, name in (("DSC", "dsc"), ("IoU", "iou")):
            end = head.index(title) + 3
            assert line[end - 6 : end] == f"{scores[f'{name}_{key}']:.4f}"
        assert line[head.index("IoU") + 3 :].strip()
    assert foot == "3 patches, 2 of them without lithium in the label"


def test_table_shows_undefined_scores_as_a_dash() -> None:
    head, _, without_empty, *_ = scores_table(overlap_scores(torch.tensor([[0, 0, 0, 9]]))).splitlines()
    assert [without_empty[head.index(title) + 2] for title in ("DSC", "IoU")] == ["-", "-"]


def test_shape_in_a_line() -> None:
    lines = []
    for found in (0, 1):
        scores = ShapeScores(tolerance=2)
        scores.add(("cell", 0), np.full((3, 4), found), np.ones((3, 4)))
        lines.append(shape_line(scores.summary()).replace("slices with lithium: surface Dice ", ""))
    assert lines == [
        "0.0000 (within 2 voxels), HD95 5.0000 voxels, centreline Dice 0.0000, components wrong 1.0000; missed completely: 1",
        "1.0000 (within 2 voxels), HD95 0.0000 voxels, centreline Dice 1.0000, components wrong 0.0000",
    ]

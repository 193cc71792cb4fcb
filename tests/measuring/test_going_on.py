"""Cut off anywhere, shared by processes, in slabs of any height: the same figures, tables and page."""

from __future__ import annotations

import csv
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nrrd
import numpy as np
import pytest
import tifffile
import zarr
from cells import saved_cell
from scipy import ndimage

from custom.base.errors import BadInput
from custom.measuring import run as running
from custom.measuring.opening import open_cell
from custom.measuring.run import STORE, Measuring
from custom.running import OutputFolder
from custom.running.slab_store import SlabStore
from custom.running.taken import release_folders

CLOCK = re.compile(r"\d{4}-\d\d-\d\dT[\d:+]+")  # when it was finished
LEVELS = (0.3, 0.5)


class Killed(BaseException):
    """As a kill would: nothing is put in order."""


@pytest.fixture(autouse=True)
def let_go() -> Iterator[None]:
    yield
    release_folders()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return saved_cell(tmp_path_factory.mktemp("cell"))


def measure(files: dict[str, Path], out: Path, height: int = 3, **place: Any) -> None:
    cell = open_cell(files["mask"], files["probability"], files["stack"], electrodes=[10, 50])
    Measuring(lambda: cell, height, OutputFolder(out, **place), LEVELS, "zarr").run()


def content(out: Path) -> dict[str, bytes]:
    """All files by name, without the time."""
    assert not (out / STORE).exists()
    found = {path.relative_to(out).as_posix(): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}
    for name in ("quantities.json", "report.html"):
        found[name] = CLOCK.sub("", found[name].decode()).encode()
    return found


@pytest.fixture(scope="module")
def whole(files: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    out = tmp_path_factory.mktemp("whole") / "out"
    measure(files, out)
    release_folders()
    return content(out)


def cut_off_and_given_again(
    files: dict[str, Path], whole: dict[str, bytes], out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is patched kills the first run; nothing has a result's name then, and the second one ends with the same bytes."""
    with pytest.raises(Killed):
        measure(files, out)
    monkeypatch.undo()
    release_folders()
    assert not (out / "quantities.json").exists()
    measure(files, out)
    assert content(out) == whole


@pytest.mark.parametrize("height", [1, 20])
def test_slabs_of_any_height(height: int, files: dict[str, Path], whole: dict[str, bytes], tmp_path: Path) -> None:
    measure(files, tmp_path / "out", height)
    found = content(tmp_path / "out")
    assert found.keys() == whole.keys()
    differing = {name for name in found if found[name] != whole[name]}
    assert differing <= {"agglomerates.csv", "quantities.json"}  # sums of areas in another order: in the last digit
    one, other = (json.loads(some["quantities.json"]) for some in (found, whole))
    assert one.keys() == other.keys()
    for name, value in one.items():
        assert value == other[name] or value == pytest.approx(other[name], rel=1e-12), name


def test_agglomerates_have_their_numbers(files: dict[str, Path], tmp_path: Path) -> None:
    measure(files, tmp_path / "out")
    labels, count = ndimage.label(tifffile.imread(files["mask"]), np.ones((3, 3, 3)))
    sizes = np.bincount(labels.ravel())[1:]
    expected = np.concatenate([[0], 1 + np.argsort(np.argsort(-sizes))])[labels]
    assert count == 2
    np.testing.assert_array_equal(zarr.open_array(tmp_path / "out/agglomerates.zarr/0", mode="r")[:], expected)


def test_agglomerates_are_segments_to_slicer(files: dict[str, Path], tmp_path: Path) -> None:
    cell = open_cell(files["mask"], files["probability"], files["stack"], electrodes=[10, 50])
    Measuring(lambda: cell, 3, OutputFolder(tmp_path), LEVELS, "nrrd").run()
    voxels, header = nrrd.read(str(tmp_path / "agglomerates.seg.nrrd"))
    assert header["Segmentation_MasterRepresentation"] == "Binary labelmap" and "Segment2_ID" not in header
    sizes = [np.count_nonzero(voxels == int(header[f"Segment{number}_LabelValue"])) for number in range(2)]
    assert [header[f"Segment{number}_Name"] for number in range(2)] == ["agglomerate 1", "agglomerate 2"]
    with (tmp_path / "agglomerates.csv").open(encoding="utf-8-sig") as table:
        assert sizes == [int(row["voxels"]) for row in csv.DictReader(table)]


@pytest.mark.parametrize("at", [0, 1, 4, 6])
def test_what_is_cut_off_goes_on_with_the_same_bytes(
    at: int, files: dict[str, Path], whole: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, written = SlabStore.write, list[int]()

    def cut(self: SlabStore, start: int, slab: Any) -> None:
        written.append(start)
        if len(written) > at:
            raise Killed
        own(self, start, slab)

    monkeypatch.setattr(SlabStore, "write", cut)
    cut_off_and_given_again(files, whole, tmp_path / "out", monkeypatch)


def test_cut_off_between_the_last_slab_and_the_results(
    files: dict[str, Path], whole: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(*_: Any) -> None:
        raise Killed

    monkeypatch.setattr("custom.measuring.results.write_report", cut)
    cut_off_and_given_again(files, whole, tmp_path / "out", monkeypatch)


def test_two_processes_share_the_slabs(
    files: dict[str, Path], whole: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second one does its part while the first one waits for it."""

    class Meeting:
        def __init__(self, world_size: int) -> None: ...

        def arrive(self, point: str) -> None: ...

        def wait(self, point: str) -> None:
            if point == "finish":
                monkeypatch.setattr(Meeting, "wait", lambda self, point: None)
                measure(files, tmp_path / "out", rank=1, world_size=2)

    monkeypatch.setattr(running, "Gathering", Meeting)
    measure(files, tmp_path / "out", rank=0, world_size=2)
    assert content(tmp_path / "out") == whole


def test_a_mask_that_changes_meanwhile_is_refused(
    files: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mask = tmp_path / "mask.tif"
    mask.write_bytes(files["mask"].read_bytes())
    own = SlabStore.write

    def touched(self: SlabStore, start: int, slab: Any) -> None:
        own(self, start, slab)
        os.utime(mask, (start, start))

    monkeypatch.setattr(SlabStore, "write", touched)
    with pytest.raises(BadInput, match="changed while it was measured; give the command again with --overwrite"):
        measure({**files, "mask": mask}, tmp_path / "out")
    assert not (tmp_path / "out/quantities.json").exists()

"""The measure command on a list of scans: against the truth of a growing cell, cut off and gone on with, and longer by a scan."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import cli
import numpy as np
import pytest
import tifffile
from growing import lines, script, small_cell

from custom.measuring.opening import open_cell
from custom.measuring.run import Measuring
from custom.running import OutputFolder
from custom.running.slab_store import SlabStore
from custom.running.taken import release_folders
from custom.series import run as of_series

CLOCK = re.compile(r"\d{4}-\d\d-\d\dT[\d:+]+|/[\w./-]*/out\w*")  # when and where


@pytest.fixture(autouse=True)
def let_go() -> Iterator[None]:
    yield
    release_folders()


@pytest.fixture(scope="module")
def listed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(script().write_scans(small_cell(), tmp_path_factory.mktemp("scans")))


@pytest.fixture(scope="module")
def out(listed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole") / "out"
    result = cli.run("measure", mask=listed, output_dir=folder)
    release_folders()
    assert result.code == 0, result.error
    return folder


def content(folder: Path) -> dict[str, bytes]:
    """All results by name, without time and command."""
    found = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".series" not in path.parts
    }
    for name in (name for name in found if name.endswith((".json", ".html"))):
        found[name] = CLOCK.sub("", found[name].decode()).encode()
    return found


def test_registration_growth_and_following(out: Path) -> None:
    of_script, cell = script(), small_cell()
    assert max(of_script.registration_errors(cell, out)) < 0.3
    assert max(map(abs, of_script.growth_errors(cell, out))) < 0.04  # of pieces of 2,000 voxels in all
    right, cases = of_script.followed_rightly(cell, out)
    assert right == cases >= 6


def test_tables_and_maps(out: Path, listed: Path) -> None:
    table = script().table
    series, growth, tracks = (table(out / f"{name}.csv") for name in ("series", "growth", "tracks"))
    assert [row["charge_mAh_cm2"] for row in series] == ["0.0", "0.5", "1.0"] and len(growth) == 2
    for row in series:
        told = json.loads((out / row["scan"] / "quantities.json").read_text())
        assert float(row["areal_capacity_mAh_cm2"]) == told["areal_capacity_mAh_cm2"]
        assert told["agglomerates"] == sum(one["scan"] == row["scan"] and one["agglomerate"] != "" for one in tracks)
    for row in growth:
        for name in ("grown", "dissolved"):
            values = tifffile.imread(out / f"growth_{row['to']}_{name}.tif")
            assert values.sum() * 1.5**2 == pytest.approx(float(row[f"{name}_um3"]), rel=1e-5)
        both = [float(row[f"{name}_mAh_cm2"]) / float(row[f"{name}_um3"]) for name in ("grown", "net")]
        area = 48 * 64 * 1.5**2
        assert both[0] == pytest.approx(both[1]) and both[0] == pytest.approx(1e-4 * 2061.2 / area, rel=0.12)
    page = (out / "series.html").read_text()
    assert "From charge 0 to 1 mAh/cm2, over 3 scans, lithium changes by" in page
    assert page.count("<svg") >= 6 and 'href="002/report.html"' in page
    assert not re.search(r"(src|href)=\"http|url\(http|<script", page)


def test_a_longer_list_measures_the_new_scan_alone(
    out: Path, listed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = listed.with_name("short.csv")
    short.write_text("\n".join(lines(listed)[:3]) + "\n")
    folder = tmp_path / "out"
    registered_already(out, folder)
    assert cli.run("measure", mask=short, output_dir=folder).code == 0
    release_folders()
    stamps = {path: path.stat().st_mtime_ns for path in folder.glob("00[12]/*.*")}
    own, run = Measuring.run, list[Path]()

    def noted(self: Measuring) -> None:
        run.append(self.folder)
        own(self)

    monkeypatch.setattr(Measuring, "run", noted)
    assert cli.run("measure", mask=listed, output_dir=folder).code == 0
    assert run == [folder / "003"] and stamps == {path: path.stat().st_mtime_ns for path in stamps}
    assert {name: text for name, text in content(folder).items() if name.endswith(("csv", "tif"))} == {
        name: text for name, text in content(out).items() if name.endswith(("csv", "tif"))
    }


def registered_already(out: Path, folder: Path) -> None:
    """What takes longest is known from another run."""
    shutil.copytree(out / ".series", folder / ".series", ignore=shutil.ignore_patterns("s*", "v*"))


def test_two_processes_share_the_scans(
    out: Path, listed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second one measures its scans while the first one waits for it."""
    folder = tmp_path / "out"
    registered_already(out, folder)

    class Meeting:
        def __init__(self, world_size: int) -> None: ...

        def arrive(self, point: str) -> None: ...

        def wait(self, point: str) -> None:
            monkeypatch.setattr(Meeting, "wait", lambda self, point: None)
            series(listed, OutputFolder(folder, rank=1, world_size=2)).run()

    monkeypatch.setattr(of_series, "Gathering", Meeting)
    series(listed, OutputFolder(folder, rank=0, world_size=2)).run()
    tables = {name: text for name, text in content(folder).items() if name.endswith(("csv", "tif"))}
    assert tables == {name: text for name, text in content(out).items() if name in tables} and "series.csv" in tables


def series(listed: Path, place: OutputFolder) -> of_series.Series:
    measuring = partial(Measuring, slab_height=8, thresholds=(0.3, 0.4, 0.5, 0.6, 0.7))  # as in measure.json
    return of_series.Series(listed, open_cell, None, measuring, 8, place)


class Killed(BaseException):
    """As a kill would: nothing is put in order."""


@pytest.mark.parametrize("at", [1, 11])
def test_what_is_cut_off_goes_on_with_the_same_bytes(
    at: int, out: Path, listed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cut off in the first scan's slabs, in a step's."""
    registered_already(out, tmp_path / "out")
    own, written = SlabStore.write, list[int]()

    def cut(self: SlabStore, start: int, slab: Any) -> None:
        written.append(start)
        if len(written) > at:
            raise Killed
        own(self, start, slab)

    with monkeypatch.context() as patched:
        patched.setattr(SlabStore, "write", cut)
        with pytest.raises(Killed):
            cli.run("measure", mask=listed, output_dir=tmp_path / "out")
    release_folders()
    assert not (tmp_path / "out/series.csv").exists()
    result = cli.run("measure", mask=listed, output_dir=tmp_path / "out")
    assert result.code == 0, result.error
    assert content(tmp_path / "out") == content(out)


def test_another_mask_in_a_row_is_refused_unless_it_may_replace(listed: Path, tmp_path: Path) -> None:
    rows = [line.split(",") for line in lines(listed)]
    plain = tmp_path / "plain.csv"
    keep = [[listed.parent / row[0], row[2]] for row in rows[1:3]]
    plain.write_text("mask,cycle\n" + "".join(f"{mask},{along}\n" for mask, along in keep))
    given = {"electrodes": "[10,51]", "output_dir": tmp_path / "out"}
    assert cli.run("measure", mask=plain, **given).code == 0
    release_folders()
    plain.write_text(
        "mask,cycle\n" + "".join(f"{mask},{along}\n" for mask, along in ((keep[1][0], 0), (keep[0][0], 1)))
    )
    result = cli.run("measure", mask=plain, **given)
    assert (
        result.code == 2
        and "001/quantities.json: is there already, of another mask or other settings than row 1" in result.error
    )
    release_folders()
    assert cli.run("measure", mask=plain, overwrite="true", **given).code == 0
    grown = [float(row["net_um3"]) for row in script().table(tmp_path / "out/growth.csv")]
    assert grown[0] < 0  # it runs the other way now


def test_a_scan_without_lithium(listed: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty.tif"
    voxels = tifffile.imread(listed.with_name("mask_0.tif"))
    tifffile.imwrite(
        empty,
        np.zeros_like(voxels),
        imagej=True,
        resolution=(1 / 1.5, 1 / 1.5),
        metadata={"axes": "ZYX", "unit": "um", "spacing": 1.5},
    )
    rows = [[str(empty), "grey_0.tif", "-1"], *(line.split(",") for line in lines(listed)[1:3])]
    series = [{"mask": str(listed.parent / m), "stack": str(listed.parent / s), "time_h": float(t)} for m, s, t in rows]
    (tmp_path / "list.json").write_text(json.dumps(series))
    result = cli.run("measure", mask=tmp_path / "list.json", output_dir=tmp_path / "out")
    assert result.code == 0, result.error
    table = script().table
    assert [row["lithium_voxels"] == "0" for row in table(tmp_path / "out/series.csv")] == [True, False, False]
    assert float(table(tmp_path / "out/growth.csv")[0]["dissolved_um3"]) == 0
    assert {row["event"] for row in table(tmp_path / "out/tracks.csv") if row["scan"] == "002"} == {"born"}

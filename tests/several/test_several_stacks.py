"""Several stacks by one command: each gets what a command of its own leaves, and what is wrong with one stops no other."""

from __future__ import annotations

import csv
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import cli
import numpy as np
import pytest
import tifffile

from custom.running.interruption import Interrupted
from custom.segmenting import Segmentation
from custom.several.done import StacksDone

SETTINGS: dict[str, object] = {"output_format": "tiff", "patch_size": 64}
GREYS = [cli.volume((2 + number, 60, 70 + number), seed=number) for number in range(3)]


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    folder = tmp_path / "scans"
    folder.mkdir()
    for number, grey in enumerate(GREYS):
        tifffile.imwrite(folder / f"cell_{number}.tif", grey, photometric="minisblack")
    return folder


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return cli.tiny_weights(tmp_path_factory.mktemp("weights") / "model.pt", GREYS[0])


def segmented(stack: object, out: Path, weights: Path, **options: object) -> cli.Outcome:
    return cli.segment(Path(str(stack)), out, weights, **{**SETTINGS, **options})


def table(out: Path) -> dict[str, dict[str, str]]:
    with open(out / "stacks.csv", newline="") as file:
        return {Path(row["stack"]).name: row for row in csv.DictReader(file)}


def written(folder: Path) -> dict[str, bytes]:
    """Mask and tables."""
    return {name: (folder / name).read_bytes() for name in ("mask.tif", "profile_z.csv", "profile_y.csv")}


def test_each_stack_is_segmented_as_by_its_own_command(scans: Path, weights: Path, tmp_path: Path) -> None:
    together = segmented(f"{scans}/*.tif", tmp_path / "out", weights, measure=True)
    assert together.code == 0 and "is a single slice" not in together.output, together.error
    rows = table(tmp_path / "out")
    assert list(rows) == ["cell_0.tif", "cell_1.tif", "cell_2.tif"]
    for number, (name, row) in enumerate(rows.items()):
        alone = tmp_path / f"alone_{number}"
        assert segmented(scans / name, alone, weights, measure=True).code == 0
        folder = tmp_path / "out" / f"cell_{number}"
        assert written(folder) == written(alone)
        assert {file.name for file in folder.iterdir()} == {file.name for file in alone.iterdir()}
        assert {file.name for file in (folder / "measured").iterdir()} == {
            file.name for file in (alone / "measured").iterdir()
        }
        found = int(np.count_nonzero(tifffile.imread(folder / "mask.tif")))
        assert int(row["lithium_voxels"]) == found > 0
        assert int(row["lithium_voxels_least"]) <= found <= int(row["lithium_voxels_most"])
        assert [int(row[f"shape_{axis}"]) for axis in "zyx"] == list(GREYS[number].shape)
        assert row["folder"] == str(folder) and row["refused"] == ""


def test_one_that_is_refused_stops_no_other(scans: Path, weights: Path, tmp_path: Path) -> None:
    """Told before the first is segmented; repaired, the same command segments it alone, and then a new one alone."""
    whole = (scans / "cell_1.tif").read_bytes()
    (scans / "cell_1.tif").write_bytes(whole[: len(whole) // 2])
    ended = segmented(f"{scans}/*.tif", tmp_path / "out", weights)
    assert ended.code == 2
    assert ended.error.startswith(f"error: {tmp_path}/out/stacks.csv: 1 of 3 stacks were refused")
    first, *_ = ended.output.split("Stack 1 of 3")
    assert f"error: {scans}/cell_1.tif: " in first
    rows = table(tmp_path / "out")
    assert rows["cell_1.tif"]["refused"].startswith(f"{scans}/cell_1.tif: ") and not rows["cell_1.tif"]["voxels"]
    assert [bool(rows[f"cell_{number}.tif"]["voxels"]) for number in (0, 2)] == [True, True]
    assert not (tmp_path / "out/cell_1").exists()

    (scans / "cell_1.tif").write_bytes(whole)
    repaired = segmented(f"{scans}/*.tif", tmp_path / "out", weights)
    assert repaired.code == 0, repaired.error
    assert [line for line in repaired.output.splitlines() if line.startswith("Stack ")] == [
        f"Stack 2 of 3: {scans}/cell_1.tif"
    ]
    assert [row["refused"] for row in table(tmp_path / "out").values()] == ["", "", ""]

    shutil.copy(scans / "cell_0.tif", scans / "cell_9.tif")
    added = segmented(f"{scans}/*.tif", tmp_path / "out", weights)
    assert added.code == 0 and "Stack 4 of 4" in added.output and "Stack 1 of" not in added.output
    assert written(tmp_path / "out/cell_9") == written(tmp_path / "out/cell_0")


def test_what_would_be_lost_is_refused(scans: Path, weights: Path, tmp_path: Path) -> None:
    """Other settings, a stack that changed since; --overwrite makes both anew."""
    out, pattern = tmp_path / "out", f"{scans}/*.tif"
    assert segmented(pattern, out, weights).code == 0
    other = segmented(pattern, out, weights, threshold=0.6)
    assert other.code == 2 and "begun with a different threshold (0.5, now 0.6)" in other.error
    tifffile.imwrite(scans / "cell_0.tif", GREYS[1], photometric="minisblack")
    changed = segmented(pattern, out, weights)
    assert changed.code == 2 and "is there already; give --overwrite true" in table(out)["cell_0.tif"]["refused"]
    anew = segmented(pattern, out, weights, threshold=0.6, overwrite=True)
    assert anew.code == 0, anew.error
    assert all(float(row["threshold"]) == 0.6 for row in table(out).values())


def test_a_list_without_a_region_and_a_pattern_that_matches_nothing(scans: Path, weights: Path, tmp_path: Path) -> None:
    two = [str(scans / "cell_2.tif"), str(scans / "cell_0.tif")]
    assert cli.run("inference", **_given(weights), stack=two, output_dir=tmp_path / "two").code == 0
    assert list(table(tmp_path / "two")) == ["cell_2.tif", "cell_0.tif"]
    nothing = segmented(f"{scans}/*.h5", tmp_path / "none", weights)
    assert nothing.code == 2 and nothing.error.startswith(f"error: --stack {scans}/*.h5: nothing is called so")
    assert not (tmp_path / "none").exists()


def _given(weights: Path) -> dict[str, object]:
    return {**SETTINGS, "weights": weights, "network_def": cli.TINY, "device": "cpu", "precision": "fp32"}


def test_slices_that_may_be_of_one_scan_are_asked_about(weights: Path, tmp_path: Path) -> None:
    for number in range(2):
        tifffile.imwrite(tmp_path / f"slice_{number}.tif", GREYS[number][0], photometric="minisblack")
    ended = segmented(f"{tmp_path}/slice_*.tif", tmp_path / "out", weights)
    assert ended.code == 0 and "each of the 2 stacks is a single slice. If they are slices of one scan" in ended.output


def test_weights_of_several_classes_have_columns_each(scans: Path, tmp_path: Path) -> None:
    weights = cli.class_weights(tmp_path / "classes.pt", GREYS[0], ("pit", "dendrite"))
    network = cli.TINY | {"out_channels": 3}
    assert segmented(f"{scans}/*_[01].tif", tmp_path / "out", weights, network_def=network).code == 0
    for number in range(2):
        mask = tifffile.imread(tmp_path / f"out/cell_{number}/mask.tif")
        row = table(tmp_path / "out")[f"cell_{number}.tif"]
        counts = [np.count_nonzero(mask == value) for value in (1, 2)]
        assert [int(row[f"{name}_voxels"]) for name in ("pit", "dendrite")] == counts
        assert float(row["pit_volume_fraction"]) == pytest.approx(counts[0] / mask.size)


@pytest.mark.parametrize("when", ["in a stack", "before it is noted"])
def test_the_same_command_goes_on(
    when: str, scans: Path, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ended in the second stack, or between its last file and the note that it is done."""
    out, pattern = tmp_path / "out", f"{scans}/*.tif"

    def ended(*_: object) -> None:
        raise Interrupted(signal.SIGTERM)

    finish = Segmentation.finish
    finished = StacksDone.finished
    with monkeypatch.context() as patched:
        if when == "in a stack":
            patched.setattr(
                Segmentation, "finish", lambda self: finish(self) if "cell_0" in str(self.folder) else ended()
            )
        else:
            noted = lambda self, result, files: ended() if "cell_1" in str(result) else finished(self, result, files)  # noqa: E731
            patched.setattr(StacksDone, "finished", noted)
        with pytest.raises(Interrupted):
            segmented(pattern, out, weights)
    again = segmented(pattern, out, weights)
    assert again.code == 0, again.error
    begun = [line.split(":")[0] for line in again.output.splitlines() if line.startswith("Stack ")]
    assert begun == (["Stack 2 of 3", "Stack 3 of 3"] if when == "in a stack" else ["Stack 3 of 3"])
    assert len(table(out)) == 3


@pytest.mark.slow
def test_two_processes_share_the_stacks(scans: Path, weights: Path, tmp_path: Path) -> None:
    """And go on with what one process has done."""
    assert segmented(f"{scans}/*.tif", tmp_path / "one", weights).code == 0
    assert segmented(f"{scans}/*_0.tif", tmp_path / "two", weights).code == 0
    before = (tmp_path / "two/cell_0/mask.tif").stat().st_mtime_ns
    words = [str(Path(sys.executable).with_name("torchrun")), "--standalone", "--nproc_per_node", "2", "-m"]
    words += ["monai.bundle", "run", "--config_file", cli.config_file("inference", "multi_gpu_inference")]
    given = {**_given(weights), "stack": f"{scans}/*.tif", "output_dir": tmp_path / "two"}
    words += [word for key, value in given.items() for word in (f"--{key}", str(value)) if key != "device"]
    environment = cli.ENVIRONMENT | {"CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(words, cwd=cli.ROOT, env=environment, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr[-3000:]
    assert (tmp_path / "two/cell_0/mask.tif").stat().st_mtime_ns == before
    assert list(table(tmp_path / "two")) == list(table(tmp_path / "one"))
    for number in range(3):
        assert written(tmp_path / f"two/cell_{number}") == written(tmp_path / f"one/cell_{number}")

"""Refusals of a study, its commands in processes of their own, and the parts of its figures."""

from __future__ import annotations

import argparse
import importlib.util
import json
import signal
import subprocess
import sys
import threading
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import cli
import h5py
import numpy as np
import pytest
import tifffile
from conftest import MakeSet
from skimage.measure import block_reduce

from custom.base.errors import BadInput
from custom.stack import open_stack
from custom.study import table2
from custom.study.commands import evaluation, segmentation, training
from custom.study.dataset_keys import add_dataset_keys, reading_of
from custom.study.figures.patches import choose_patches
from custom.study.figures.volumes import LONGEST, coarsened, surface
from custom.study.page import Picture, Section, Table, write_html, write_markdown
from custom.study.plan import NETWORKS, TRAINED, Study, minutes_of
from custom.study.running import Bundle
from custom.study.slices import LabelledSlice, split_of
from custom.study.stack import choose_stack

pytestmark = pytest.mark.slow


def test_a_budget_is_a_time() -> None:
    assert [minutes_of(text) for text in (None, "20m", "90s", "1.5h")] == [0, 20, 1.5, 90]
    for text in ("20", "m", "0m", "-1m", "20 m"):
        with pytest.raises(BadInput, match="is no time"):
            minutes_of(text)


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"--budget": "soon"}, "--budget soon: is no time"),
        ({"--output_dir": "a#b"}, "holds '#'"),
        ({"--dataset_dir": "nowhere"}, "there is no such folder"),
        ({"--stack": "nothing.tif"}, "nothing.tif"),
    ],
)
def test_a_study_is_refused_before_anything_is_trained(
    changed: dict[str, str], fault: str, labelled_set: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = {"--dataset_dir": str(labelled_set), "--output_dir": str(tmp_path / "out"), "--budget": "1m"} | changed
    words = [word for pair in given.items() for word in pair]
    assert cli.study(words, tmp_path, execute=lambda words: pytest.fail("ran a command")) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and error.count("\n") == 1 and fault in error


def test_a_missing_extra_is_refused_at_once(
    labelled_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "skimage" else real(name, *rest)
    )
    assert cli.study(["--dataset_dir", str(labelled_set), "--output_dir", str(tmp_path / "out")]) == 2
    assert "pip install '.[study]'" in capsys.readouterr().err and not (tmp_path / "out").exists()


def test_a_commands_refusal_is_the_studys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["run", "training", "--config_file", "bundle/configs/train.json", "--output_dir", str(tmp_path / "run")]
    with pytest.raises(BadInput, match="there is no such folder; give --dataset_dir") as refused:
        Bundle(cli.ROOT)([*words, "--dataset_dir", str(tmp_path / "nowhere")], tmp_path / "logs/a.log")
    assert "\n" not in str(refused.value)
    monkeypatch.setattr(sys, "executable", "/bin/false")  # ends as a command does that fell over
    with pytest.raises(BadInput, match=r"b\.log: the command that this is the log of ended with code 1"):
        Bundle(cli.ROOT)(words, tmp_path / "logs/b.log")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_a_killed_study_leaves_no_command_running(tmp_path: Path) -> None:
    program = f"""
import sys
from pathlib import Path
from custom.running import bundle
from custom.study.running import Bundle
ended = bundle._ended
code = "import os, sys, time; print(os.getpid(), flush=True); time.sleep(60)"
bundle._ended = lambda command, *rest, **given: ended([sys.executable, "-c", code], *rest, **given)
Bundle(Path({str(tmp_path)!r}))([], Path({str(tmp_path / "log")!r}))
"""
    study = subprocess.Popen([sys.executable, "-c", program], cwd=cli.ROOT, env=cli.ENVIRONMENT)
    log = tmp_path / "log"
    try:
        _wait(lambda: log.is_file() and log.read_text().endswith("\n"))
        command = int(log.read_text())
        assert _runs(command)
    finally:
        study.send_signal(signal.SIGKILL)
        study.wait()
    _wait(lambda: not _runs(command))


def test_an_interrupted_study_lets_its_commands_put_their_files_in_order(tmp_path: Path) -> None:
    """The signal reaches the study alone; several devices have a thread each, in which no signal is raised."""
    program = f"""
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from custom.running import interruption
from custom.running import bundle
from custom.study.running import Bundle
interruption.install()
ended = bundle._ended
code = "import signal, sys, time; signal.signal(15, lambda *_: sys.exit('in order')); print(1, flush=True); time.sleep(60)"
bundle._ended = lambda command, *rest, **given: ended([sys.executable, "-c", code], *rest, **given)
words = [], Path({str(tmp_path / "log")!r})
run = Bundle(Path({str(tmp_path)!r}))
with ThreadPoolExecutor(1) as devices:
    devices.submit(run, *words).result()
"""
    log = tmp_path / "log"
    words = [sys.executable, "-c", program]
    with subprocess.Popen(words, cwd=cli.ROOT, env=cli.ENVIRONMENT, stderr=subprocess.PIPE, text=True) as study:
        _wait(lambda: log.is_file() and log.read_text().endswith("\n"))
        study.send_signal(signal.SIGTERM)
        _, told = study.communicate(timeout=30)
    assert study.returncode == 143 and told.startswith("ended by SIGTERM; begin again with: ")
    assert log.read_text() == "1\nin order\n"


def _wait(until: Any, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end
        time.sleep(0.05)


def _runs(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_flat_test_slices_become_one_stack_under_the_windows_of_the_data_set(
    make_labelled_set: MakeSet, tmp_path: Path
) -> None:
    dataset = make_labelled_set(stacks=(12,), size=(40, 50), flat=True)
    (dataset / "splits.json").write_text(
        json.dumps({"train": ["slice_0"], "val": ["slice_1"], "test": ["slice_2", "slice_10", "slice_11"]})
    )
    study = Study(dataset, tmp_path)
    split = split_of(study)
    stack = choose_stack(study, split)
    assert stack.window == split["train"][0]["grey_window"] and stack.trained_on == 0
    joined = open_stack(stack.path).read(0, 3)
    for z, name in enumerate(("slice_2", "slice_10", "slice_11")):  # in natural order
        assert (joined[z] == tifffile.imread(dataset / f"images/{name}.tif")).all()
        assert (stack.label(z) == tifffile.imread(dataset / f"labels/{name}.tif")).all()


def test_a_stack_that_was_partly_trained_on_says_so(make_labelled_set: MakeSet, tmp_path: Path) -> None:
    study = Study(make_labelled_set(stacks=(20,), size=(40, 50)), tmp_path)
    split = split_of(study)
    stack = choose_stack(study, split)
    assert stack.path.name == "stack_0.tif" and stack.trained_on == len(split["train"]) == 16
    assert choose_stack(Study(study.dataset_dir, tmp_path, stack=tmp_path), split).labels is None


def test_the_commands_read_the_files_as_the_study_does(make_labelled_set: MakeSet, tmp_path: Path) -> None:
    dataset = make_labelled_set(stacks=(20,), size=(40, 50))
    grey, label = (tifffile.imread(dataset / part / "stack_0.tif") for part in ("images", "labels"))
    for part, voxels in (("images", np.stack([grey * 0, grey])), ("labels", label * 255)):
        (dataset / part / "stack_0.tif").unlink()
        with h5py.File(dataset / part / "stack_0.h5", "w") as file:
            file["mine"] = voxels
    reading = ["--image_key", "mine", "--label_key", "mine", "--image_index", "[1]", "--label_255", "lithium"]
    reading += ["--label_map", "{'255': 'lithium'}"]
    parser = argparse.ArgumentParser()
    add_dataset_keys(parser)
    study = Study(dataset, tmp_path, reading=reading_of(parser.parse_args(reading)))
    stack = choose_stack(study, split_of(study))
    assert (stack.image.open().read(0, 20) == grey).all() and (stack.label(7) == label[7]).all()
    for part in (training(study, TRAINED[0]), evaluation(study, TRAINED[0], "val")):
        assert {tuple(reading[i : i + 2]) for i in range(0, 10, 2)} <= set(pairwise(part.words))
    assert {("--stack_key", "mine"), ("--stack_index", "[1]")} <= set(
        pairwise(segmentation(study, TRAINED[0], stack).words)
    )


def test_classes_are_handed_on_to_the_commands(tmp_path: Path) -> None:
    parser = argparse.ArgumentParser()
    add_dataset_keys(parser)
    given = ["--classes", "['pit', 'dead lithium']", "--label_folder", "labels"]
    study = Study(tmp_path, tmp_path / "out", reading=reading_of(parser.parse_args(given)))
    assert study.reading.classes == ("pit", "dead lithium")
    for part in (training(study, TRAINED[0]), evaluation(study, TRAINED[0], "val")):
        assert ("--classes", "['pit', 'dead lithium']") in set(pairwise(part.words))
    assert "--classes" not in training(Study(tmp_path, tmp_path / "out"), TRAINED[0]).words
    with pytest.raises(BadInput, match="names 'pit' twice"):
        reading_of(parser.parse_args(["--classes", "['pit', 'pit']"]))


def test_patches_go_from_rich_to_poor(make_labelled_set: MakeSet, tmp_path: Path) -> None:
    study = Study(make_labelled_set(stacks=(6,), size=(300, 300)), tmp_path)
    slices = [LabelledSlice(item) for side in split_of(study).values() for item in side]
    chosen = choose_patches(slices)
    shares = sorted((s.label[y : y + 128, x : x + 128] == 1).mean() for s in slices for y in (0, 128) for x in (0, 128))
    assert [p.share for p in chosen.values()] == pytest.approx([shares[23], shares[12], shares[3]])


def test_coarsening_is_a_mean_over_blocks() -> None:
    volume = np.random.default_rng(0).random((7, 2 * LONGEST + 9, LONGEST))
    found = coarsened(volume.shape, lambda start, stop: volume[start:stop])
    assert found.shape == (7, (2 * LONGEST + 9) // 3, LONGEST)
    whole = volume[:, : found.shape[1] * 3]
    assert found == pytest.approx(block_reduce(whole, (1, 3, 1), np.mean), abs=1e-6)


def test_a_surface_encloses_the_volume_in_its_units() -> None:
    z, y, x = np.mgrid[:40, :40, :40] - 19.5
    distance = np.sqrt(z**2 + y**2 + x**2)
    triangles = surface(np.clip(10.8 - distance, 0, 1).astype(np.float32), (2.0, 1.0, 1.0))
    assert triangles is not None
    inside = abs(np.einsum("ij,ij->i", triangles[:, 0], np.cross(triangles[:, 1], triangles[:, 2])).sum() / 6)
    assert inside == pytest.approx(2 * 4 / 3 * np.pi * 10.5**3, rel=0.02)
    assert surface(np.zeros((3, 3, 3), np.float32), (1, 1, 1)) is None


def test_pages_escape_what_they_show(tmp_path: Path) -> None:
    (tmp_path / "p.png").write_bytes(b"png")
    section = Section("a < b", ["x & y", Table(["", "n"], [["U", "<1"]]), Picture(tmp_path / "p.png", 'a "view"')])
    write_html(tmp_path / "a.html", "T", [section])
    write_markdown(tmp_path / "a.md", "T", [section])
    page = (tmp_path / "a.html").read_text()
    assert "a &lt; b" in page and "x &amp; y" in page and "<td>&lt;1</td>" in page
    assert 'alt="a &quot;view&quot;" src="data:image/png;base64,cG5n"' in page
    assert (tmp_path / "a.md").read_text() == (
        '# T\n\n## a < b\n\nx & y\n\n|  | n |\n| --- | ---: |\n| U | <1 |\n\n![a "view"](p.png)\n'
    )


def test_trainings_go_side_by_side_one_on_each_device(labelled_set: Path, tmp_path: Path) -> None:
    together = threading.Barrier(2, timeout=20)
    seen: list[tuple[str, str]] = []

    def execute(words: list[str]) -> None:
        if words[1] != "training":
            raise BadInput("enough")
        out, device = (words[words.index(word) + 1] for word in ("--output_dir", "--device"))
        if len(seen) < 2:
            together.wait()  # breaks unless another training waits at the same time
        seen.append((Path(out).name, device))
        (Path(out)).mkdir(parents=True)
        (Path(out) / "model.pt").write_bytes(b"")

    given = {
        "--dataset_dir": labelled_set,
        "--output_dir": tmp_path / "out",
        "--budget": "1m",
        "--device": "cuda:0,cuda:1",
    }
    assert cli.study([str(word) for pair in given.items() for word in pair], tmp_path, execute=execute) == 2
    assert sorted(seen) == [("transforcnn", "cuda:0"), ("unet", "cuda:0"), ("ynet", "cuda:1")]


@pytest.mark.parametrize(
    ("mm3", "unit", "shown"), [(8.1927e-5, "µm³", "81,927"), (0.25, "mm³", "0.2500"), (None, None, None)]
)
def test_volumes_are_given_in_a_unit_that_can_be_read(mm3: float | None, unit: str | None, shown: str | None) -> None:
    amount = {"lithium_voxels": 34824, "volume_fraction": 0.02362} | ({} if mm3 is None else {"lithium_mm3": mm3})
    rows = {network.name: {**amount, "error": -0.016} for network in NETWORKS}
    made = table2.table({"networks": rows, "truth": amount})
    volume = [] if unit is None else [shown]
    assert made.head == ["", "lithium voxels", "% of the stack", *([unit] if unit else []), "error of the volume"]
    assert made.body[0] == ["U-Net", "34,824", "2.362", *volume, "-1.6 %"]
    assert made.body[-1] == ["ground truth", "34,824", "2.362", *volume, ""]

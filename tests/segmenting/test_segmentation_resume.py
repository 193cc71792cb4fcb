"""A segmentation that is ended in the middle goes on with the same command, and ends with the same bytes."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import cli
import h5py
import numpy as np
import pytest
import SimpleITK
import torch
import zarr

from custom.base.errors import BadInput
from custom.quantities.profile import Profile
from custom.running.lock import FolderLock
from custom.running.slab_store import SlabStore
from custom.stack import Stack, planning

GREY = cli.volume((40, 60, 90))


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return cli.saved(tmp_path_factory.mktemp("stack"), GREY)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return cli.tiny_weights(tmp_path_factory.mktemp("weights") / "model.pt", GREY)


WHOLE = {"mask.zarr", "summary.json", "report.html", "overlays", *Profile.files}


def digest(out: Path) -> str:
    """Of all bytes and names of the mask and the tables, and of what was measured."""
    found = hashlib.sha256()
    for file in sorted([*(out / "mask.zarr").rglob("*"), *out.glob("*.csv")]):
        if file.is_file():
            found.update(file.relative_to(out).as_posix().encode() + b"\0" + file.read_bytes())
    summary = json.loads((out / "summary.json").read_text())
    found.update(str([summary[key] for key in ("grey_values", "lithium_by_threshold", "lithium_voxels")]).encode())
    return found.hexdigest()


@pytest.fixture(scope="module")
def whole(stack: Path, weights: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The mask of a run that nothing interrupted."""
    out = tmp_path_factory.mktemp("whole")
    ended = cli.segment(stack, out, weights, slab_height=1)
    assert ended.code == 0, ended.error
    assert {file.name for file in out.iterdir()} == WHOLE
    return digest(out)


def command(stack: Path, out: Path, weights: Path, *overlays: str, **options: object) -> list[str]:
    """The words after `python -m`, for a process of its own."""
    given = {"stack": stack, "output_dir": out, "weights": weights, "network_def": cli.TINY, "slab_height": 1}
    words = ["monai.bundle", "run", "--config_file", cli.config_file("inference", *overlays)]
    options = {**given, "precision": "fp32", **options}
    return words + [word for key, value in options.items() for word in (f"--{key}", str(value))]


def started(*words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", *words],
        cwd=cli.ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=cli.ENVIRONMENT | {"CUDA_VISIBLE_DEVICES": ""},
    )


def slabs_done(out: Path) -> int:
    return len(list((out / ".slabs").glob("[0-9]*.npz")))


def ended_at(process: subprocess.Popen[str], out: Path, slabs: int, by: int) -> None:
    """Send the signal when so many slabs are done."""
    while process.poll() is None and slabs_done(out) < slabs:
        time.sleep(0.002)
    process.send_signal(by)
    process.wait()


@pytest.mark.slow
def test_killed_at_random_moments_it_ends_with_the_same_bytes(
    whole: str, stack: Path, weights: Path, tmp_path: Path
) -> None:
    draw = random.Random(5)
    words = command(stack, tmp_path, weights)
    for by in (signal.SIGKILL, signal.SIGTERM, signal.SIGKILL):
        before = slabs_done(tmp_path)
        process = started(*words)
        ended_at(process, tmp_path, before + draw.randint(1, 8), by)
        code = 128 + by if by == signal.SIGTERM else -by
        assert process.returncode == code and before < slabs_done(tmp_path) < len(GREY)
        assert not (tmp_path / "mask.zarr").exists()
    done = slabs_done(tmp_path)
    process = started(*words)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output
    assert f"{done} of 40 slabs are done" in output and "did not end by itself" in output
    assert digest(tmp_path) == whole
    assert {file.name for file in tmp_path.iterdir()} == WHOLE


@pytest.fixture
def unfinished(stack: Path, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The output folder of a run that ended after 5 slabs."""
    write = SlabStore.write

    def break_off(store: SlabStore, start: int, *found: Any, **kept: Any) -> None:
        if start == 5:
            raise BadInput("broken off")
        write(store, start, *found, **kept)

    with monkeypatch.context() as patching:
        patching.setattr(SlabStore, "write", break_off)
        ended = cli.segment(stack, tmp_path / "out", weights, slab_height=1)
    assert ended.code == 2 and slabs_done(tmp_path / "out") == 5
    return tmp_path / "out"


def test_what_is_done_is_not_done_again(
    unfinished: Path, stack: Path, weights: Path, whole: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[int] = []
    write = SlabStore.write
    monkeypatch.setattr(
        SlabStore, "write", lambda store, *found, **kept: (written.append(found[0]), write(store, *found, **kept))[1]
    )
    ended = cli.segment(stack, unfinished, weights, slab_height=1)
    assert ended.code == 0 and digest(unfinished) == whole
    assert written == list(range(5, 40))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"threshold": 0.4}, "a different threshold (0.5, now 0.4)"),
        ({"overlap": 0.5}, "a different overlap (0.25, now 0.5)"),
        ({"slab_height": 2}, "a different slab height (1, now 2)"),
        ({"grey_window#fixed": [20000, 30000]}, "a different grey window ("),
        ({"probability": True}, "a different probability (False, now True)"),
        ({"stack_axes": "zxy"}, "a different stack axes (None, now zxy)"),
        ({"output_format": "tiff"}, "a different output format (zarr, now tiff)"),
    ],
)
def test_other_settings_are_not_mixed_in(
    changes: dict[str, object], told: str, unfinished: Path, stack: Path, weights: Path
) -> None:
    ended = cli.segment(stack, unfinished, weights, **{"slab_height": 1, **changes})
    assert ended.code == 2 and told in ended.error and "--overwrite true" in ended.error
    assert slabs_done(unfinished) == 5


def test_other_weights_and_another_stack_are_not_mixed_in(
    unfinished: Path, stack: Path, weights: Path, tmp_path: Path
) -> None:
    state = torch.load(weights, weights_only=True)
    torch.save({name: value + 1 for name, value in state.items()}, tmp_path / "other.pt")
    ended = cli.segment(stack, unfinished, tmp_path / "other.pt", slab_height=1)
    assert ended.code == 2 and "a different weights" in ended.error
    np.save(tmp_path / "other.npy", GREY)
    ended = cli.segment(tmp_path / "other.npy", unfinished, weights, slab_height=1)
    assert ended.code == 2 and "a different stack" in ended.error
    assert slabs_done(unfinished) == 5
    ended = cli.segment(tmp_path / "other.npy", unfinished, weights, slab_height=1, overwrite=True)
    assert ended.code == 0, ended.error


def test_overwriting_goes_on_too_where_nothing_differs(
    unfinished: Path, stack: Path, weights: Path, whole: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ended = cli.segment(stack, unfinished, weights, slab_height=1, overwrite=True)
    assert ended.code == 0 and digest(unfinished) == whole
    assert "5 of 40 slabs are done" in ended.output + capsys.readouterr().out


def test_a_stack_that_changes_while_it_is_read_is_noticed(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "stack.npy"
    np.save(path, GREY[:4])
    write = SlabStore.write

    def rewritten(store: SlabStore, start: int, *found: Any, **kept: Any) -> None:
        if start == 2:
            np.lib.format.open_memmap(path, "r+")[3] = GREY[7]
            os.utime(path, ns=(0, 0))
        write(store, start, *found, **kept)

    monkeypatch.setattr(SlabStore, "write", rewritten)
    ended = cli.segment(path, tmp_path / "out", weights, slab_height=1)
    assert ended.code == 2 and "changed while it was read" in ended.error and str(path) in ended.error
    assert not (tmp_path / "out/mask.zarr").exists()
    monkeypatch.undo()
    ended = cli.segment(path, tmp_path / "out", weights, slab_height=1)
    assert ended.code == 2 and "a different stack" in ended.error


def test_a_folder_in_use_is_refused(stack: Path, weights: Path, tmp_path: Path) -> None:
    """Before the stack is read, which takes long and writes there where chunks are tall."""
    held = FolderLock(tmp_path)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Stack, "read", lambda *_: pytest.fail("it is read"))
        ended = cli.segment(stack, tmp_path, weights, slab_height=1)
    held.release()
    assert ended.code == 2 and f"process {os.getpid()} on {os.uname().nodename}" in ended.error
    assert cli.segment(stack, tmp_path, weights, slab_height=20).code == 0


def test_what_was_decoded_of_a_stack_that_is_refused_goes_with_it(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "KEPT_BYTES", 1)
    monkeypatch.setattr(planning, "KEPT_SLICES", 10)
    with h5py.File(tmp_path / "flat.h5", "w") as file:
        file.create_dataset("exchange/data", data=np.full_like(GREY, 7), chunks=(len(GREY), 1, GREY.shape[2]))
    ended = cli.segment(tmp_path / "flat.h5", tmp_path / "out", weights)
    assert ended.code == 2 and "has no contrast" in ended.error
    assert [path.name for path in tmp_path.iterdir()] == ["flat.h5"]


@pytest.mark.parametrize("output_format", ["zarr", "nrrd"])
def test_the_probability_is_kept_where_asked_for(
    output_format: str, stack: Path, weights: Path, tmp_path: Path
) -> None:
    ended = cli.segment(stack, tmp_path, weights, probability=True, threshold=0.25, output_format=output_format)
    assert ended.code == 0, ended.error
    both = []
    for name in ("mask", "probability"):
        path = tmp_path / f"{name}.{output_format}"
        if output_format == "zarr":
            both.append(np.asarray(zarr.open_group(path, mode="r")["0"]))
        else:
            both.append(SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(path))))
    mask, probability = both
    assert probability.dtype == np.uint8 and probability.shape == GREY.shape and len(np.unique(probability)) > 50
    # 0.25 lies at 63.75: only where the probability rounds to 64 can the two disagree
    np.testing.assert_array_equal(mask[probability != 64], (probability > 64)[probability != 64])
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["probability"] == f"probability.{output_format}"
    ended = cli.segment(stack, tmp_path, weights, overwrite=True)
    assert ended.code == 0 and not (tmp_path / f"probability.{output_format}").exists()


# --- several processes -----------------------------------------------------------------------------------------------


def torchrun(*more: str) -> list[str]:
    return ["torch.distributed.run", "--standalone", "--nproc_per_node", "2", *more, "-m"]


def workers(process: subprocess.Popen[str]) -> list[int]:
    """Process ids of torchrun's workers."""
    return [int(word) for word in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]


@pytest.mark.slow
def test_two_processes_make_the_same_bytes(whole: str, stack: Path, weights: Path, tmp_path: Path) -> None:
    process = started(*torchrun(), *command(stack, tmp_path, weights, "multi_gpu_inference"))
    output, _ = process.communicate(timeout=200)
    assert process.returncode == 0, output
    assert digest(tmp_path) == whole and output.count("Lithium (dendrites and redeposited)") == 1


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="finds the workers in /proc")
def test_a_killed_worker_costs_only_what_it_had_in_hand(whole: str, stack: Path, weights: Path, tmp_path: Path) -> None:
    process = started(*torchrun("--max-restarts=3"), *command(stack, tmp_path, weights, "multi_gpu_inference"))
    while slabs_done(tmp_path) < 6 and process.poll() is None:
        time.sleep(0.002)
    assert process.poll() is None, process.communicate()[0]
    kept = {file: file.stat().st_ino for file in (tmp_path / ".slabs").glob("0*.npz")}
    os.kill(workers(process)[-1], signal.SIGKILL)
    while process.poll() is None and slabs_done(tmp_path) < 35:
        time.sleep(0.01)
    assert all(file.stat().st_ino == inode for file, inode in kept.items())
    output, _ = process.communicate(timeout=250)
    assert process.returncode == 0, output
    assert "slabs are done" in output and digest(tmp_path) == whole


def test_what_is_left_is_found_when_the_run_begins_not_when_its_parts_are_built(
    unfinished: Path, stack: Path, weights: Path
) -> None:
    """The evaluator, data set included, is built while slabs of another threshold lie there as if they were done."""
    steps = json.loads((cli.ROOT / "bundle/configs/inference.json").read_text())["segmenting"]
    changed = {"slab_height": 1, "threshold": 0.4, "overwrite": True}
    early = cli.segment(stack, unfinished, weights, **changed, segmenting=["@evaluator", *steps])
    assert early.code == 0, early.error
    assert {file.name for file in unfinished.iterdir()} == WHOLE

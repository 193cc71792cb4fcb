"""Every command that writes takes its output folder first, and lets go of it at its end."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import cli
import pytest

from custom.base.errors import BadInput
from custom.running import lock
from custom.running.lock import FolderLock
from custom.running.taken import release_folder, release_folders, take_folder

# holds the folder and forks a process that outlives it, as a loader's worker does
PARENT = """
import os, sys, time
from custom.running.taken import take_folder
take_folder(sys.argv[1])
if not os.fork():
    print(os.getpid(), flush=True)  # by the child itself: it has let go of its copy of the lock
time.sleep(60)
"""


def test_a_folder_is_taken_once_and_for_others_not_at_all(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "out")
    take_folder(tmp_path / "out")
    take_folder(tmp_path / "link")
    with pytest.raises(BadInput, match=f"process {os.getpid()} "):
        FolderLock(tmp_path / "link")
    release_folder(tmp_path / "link")
    FolderLock(tmp_path / "out").release()
    assert not (tmp_path / "out").exists()
    release_folder(tmp_path / "out")


def test_other_ranks_take_nothing(tmp_path: Path) -> None:
    take_folder(tmp_path / "out", writes=False)
    assert not (tmp_path / "out").exists()


def test_a_folder_by_a_relative_name_is_let_go_from_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    take_folder("out")
    monkeypatch.chdir(tmp_path / "out")
    release_folders()
    assert not list(tmp_path.glob("**/.lock"))


def test_the_owner_gives_signs_of_life(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a thread, so that nothing that takes long, such as writing a mask of 16 GB, keeps it from them."""
    monkeypatch.setattr(lock, "INTERVAL", 0.01)
    monkeypatch.setattr(lock, "__name__", "a thread of its own")
    held = FolderLock(tmp_path)
    os.utime(tmp_path / ".lock", (0, 0))
    for _ in range(200):
        if (tmp_path / ".lock").stat().st_mtime > 0:
            break
        time.sleep(0.01)
    assert time.time() - (tmp_path / ".lock").stat().st_mtime < 60
    held.release()


@pytest.mark.skipif(sys.platform == "win32", reason="has no fork")
def test_a_workers_life_does_not_hold_the_folder_of_a_killed_run(tmp_path: Path) -> None:
    words = [sys.executable, "-c", PARENT, str(tmp_path)]
    with subprocess.Popen(words, cwd=cli.ROOT, text=True, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        with pytest.raises(BadInput, match=f"process {process.pid} "):
            FolderLock(tmp_path)
        process.kill()
        process.wait()
        os.kill(child, 0)
        FolderLock(tmp_path).release()
        os.kill(child, 9)


def test_a_lock_that_somebody_removed_and_took_is_left(tmp_path: Path) -> None:
    first = FolderLock(tmp_path)
    (tmp_path / ".lock").unlink()
    second = FolderLock(tmp_path)
    first.release()
    assert (tmp_path / ".lock").is_file()
    second.release()


def test_a_training_and_an_evaluation_touch_nothing_in_a_folder_in_use(labelled_set: Path, tmp_path: Path) -> None:
    held = FolderLock(tmp_path)
    before = sorted(tmp_path.iterdir())
    for ended in (
        cli.train(labelled_set, tmp_path, network_def=cli.TINY, overwrite=True),
        cli.run("train", "evaluate", dataset_dir=labelled_set, output_dir=tmp_path, device="cpu", overwrite=True),
    ):
        assert ended.code == 2 and f"process {os.getpid()} on {os.uname().nodename}" in ended.error
        assert sorted(tmp_path.iterdir()) == before
    held.release()
    # a refusal lets go too
    assert cli.run("train", "evaluate", dataset_dir=labelled_set, output_dir=tmp_path, device="cpu").code == 2
    assert not (tmp_path / ".lock").exists()


def test_a_study_touches_nothing_in_a_folder_in_use(labelled_set: Path, tmp_path: Path) -> None:
    held = FolderLock(tmp_path)
    assert cli.study(["--dataset_dir", str(labelled_set), "--output_dir", str(tmp_path), "--budget", "1s"]) == 2
    assert [file.name for file in tmp_path.iterdir()] == [".lock"]
    held.release()

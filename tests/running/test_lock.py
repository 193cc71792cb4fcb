"""One run at a time in a folder; what a killed one leaves behind is told apart."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cli
import pytest

from custom.base import flock
from custom.base.errors import BadInput
from custom.running import lock
from custom.running.lock import FolderLock

HOLDER = "import sys; from custom.running.lock import FolderLock; held = FolderLock(sys.argv[1]); print('held', flush=True); input()"


@contextmanager
def holder(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the folder."""
    words = [sys.executable, "-c", HOLDER, str(folder)]
    with subprocess.Popen(words, cwd=cli.ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.readline() == "held\n"
        yield process
        process.kill()


def stale(folder: Path, **owner: object) -> Path:
    """The file of an owner that ended without removing it."""
    file = folder / ".lock"
    file.write_text(json.dumps({"host": os.uname().nodename, "process": 1, "job": None, "since": "yesterday"} | owner))
    return file


def test_a_second_run_is_refused_with_the_owner_of_the_first(tmp_path: Path) -> None:
    with holder(tmp_path) as process, pytest.raises(BadInput) as refusal:
        FolderLock(tmp_path)
    for words in (f"process {process.pid} on {os.uname().nodename}", "--output_dir", str(tmp_path / ".lock")):
        assert words in str(refusal.value)


def test_the_lock_of_a_killed_run_is_taken_over(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    with holder(tmp_path) as process:
        process.kill()
        process.wait()
        held = FolderLock(tmp_path)
    assert f"process {process.pid}" in caplog.text and "did not end by itself" in caplog.text
    held.release()


def test_released_it_leaves_nothing(tmp_path: Path) -> None:
    held = FolderLock(tmp_path / "new")
    held.touch()
    held.release()
    held.release()
    assert not list(tmp_path.iterdir())
    (tmp_path / "old").mkdir()
    FolderLock(tmp_path / "old").release()
    assert [path.name for path in tmp_path.iterdir()] == ["old"]


def test_an_owner_elsewhere_counts_as_long_as_it_gives_signs_of_life(tmp_path: Path) -> None:
    file = stale(tmp_path, host="elsewhere")
    with pytest.raises(BadInput, match="process 1 on elsewhere, since yesterday"):
        FolderLock(tmp_path)
    silent = file.stat().st_mtime - lock.SILENCE - 1
    os.utime(file, (silent, silent))
    FolderLock(tmp_path).release()


def test_a_worker_that_torchrun_started_again_takes_over_at_once(tmp_path: Path) -> None:
    stale(tmp_path, host="elsewhere", job="7")
    with pytest.raises(BadInput, match="on elsewhere"):
        FolderLock(tmp_path, job="8")
    FolderLock(tmp_path, job="7").release()


@pytest.mark.parametrize("runs", [True, False])
def test_without_locks_of_the_system_the_process_id_decides(
    runs: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flock, "fcntl", None)
    with subprocess.Popen(["sleep", "60"]) as process:
        stale(tmp_path, process=process.pid)
        if not runs:
            process.kill()
            process.wait()
            FolderLock(tmp_path).release()
            return
        with pytest.raises(BadInput, match=f"process {process.pid} "):
            FolderLock(tmp_path)
        process.kill()


def test_a_damaged_file_is_no_owner(tmp_path: Path) -> None:
    (tmp_path / ".lock").write_text('{"host": "elsew')
    FolderLock(tmp_path).release()


def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BadInput, match="cannot be written to .* --output_dir"):
        FolderLock(tmp_path / "file")

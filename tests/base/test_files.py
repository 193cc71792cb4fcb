"""A file is complete under its name, or it is not there."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from custom.base import files, flock
from custom.base.errors import BadInput
from custom.base.files import complete_file


def write(path: Path, text: str = "new") -> None:
    with complete_file(path) as part:
        part.write_text(text)


def test_written_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "er" / "file.txt"
    for text in ("first", "second"):
        write(path, text)
        assert path.read_text() == text
        assert list(path.parent.iterdir()) == [path]


def test_nothing_under_the_name_before_the_end(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    with complete_file(path) as part:
        part.write_text("half")
        assert not path.exists()
        assert part.parent == tmp_path


@pytest.mark.parametrize("error", [RuntimeError("stop"), KeyboardInterrupt()])
def test_a_failure_keeps_the_old_file(tmp_path: Path, error: BaseException) -> None:
    path = tmp_path / "file.txt"
    path.write_text("old")
    with pytest.raises(type(error)), complete_file(path) as part:
        part.write_text("half")
        raise error
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file.txt"
    path.write_text("old")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(BadInput, match="No space left on device.*free some space") as caught:
        write(path)
    assert str(path) in str(caught.value)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_or_a_file_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "file.txt").mkdir()
    with pytest.raises(BadInput, match=r"file\.txt cannot be written"):
        write(tmp_path / "file.txt")
    (tmp_path / "plain").write_text("")
    with pytest.raises(BadInput, match="--output_dir"):
        write(tmp_path / "plain" / "file.txt")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file.txt", "plain"]


def test_what_a_kill_left_is_taken_up(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    with complete_file(path) as part:
        left = part
        part.write_text("x")
    left.write_text("half a file of a killed process")
    write(path)
    assert list(tmp_path.iterdir()) == [path] and path.read_text() == "new"


def test_two_at_once_are_not_mixed(tmp_path: Path) -> None:
    path = tmp_path / "file.zip"
    with complete_file(path) as part:
        part.write_text("first")
        with pytest.raises(BadInput, match=r"file\.zip: another process is writing it; wait"):
            write(path, "second")
        assert part.read_text() == "first"
    assert path.read_text() == "first"
    write(path, "second")
    assert path.read_text() == "second"


def test_without_locks_of_the_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flock, "fcntl", None)
    write(tmp_path / "file.txt")
    assert [file.name for file in tmp_path.iterdir()] == ["file.txt"]


def test_a_name_that_is_given_while_its_lock_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process opens the temporary file, and gets its lock when it is the result already."""
    path, asked = tmp_path / "file.txt", []

    def lock_now(descriptor: int) -> bool:
        asked.append(descriptor)
        if len(asked) == 1:
            os.replace(tmp_path / ".file.txt.part", path)
        return True

    monkeypatch.setattr(files, "lock_now", lock_now)
    write(path)
    assert path.read_text() == "new" and len(asked) == 2 and list(tmp_path.iterdir()) == [path]

"""A hidden part: published over what was there or not, and never taken for a leftover by its like."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from custom.base import part as module
from custom.base.part import Part


def test_a_folder_takes_the_place_of_an_empty_one_alone(tmp_path: Path) -> None:
    final = tmp_path / "set"
    final.mkdir()
    first, second = Part(final, folder=True), Part(final, folder=True)
    (first.path / "a").write_text("first")
    (second.path / "a").write_text("second")
    first.publish(replaces=False)
    with pytest.raises(OSError, match="not empty"):
        second.publish(replaces=False)
    second.remove()
    assert (final / "a").read_text() == "first" and os.listdir(tmp_path) == ["set"]


def test_what_a_killed_process_left_is_removed_and_what_a_running_one_makes_stays(tmp_path: Path) -> None:
    leftover = tmp_path / ".set.part-00000000"
    leftover.mkdir()
    first = Part(tmp_path / "set", folder=True)
    assert not leftover.exists()
    Part(tmp_path / "set", folder=True).remove()
    assert first.path.is_dir()


@pytest.mark.parametrize("late", [False, True])
def test_a_part_that_another_takes_for_a_leftover_is_made_anew(
    late: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between its making and its lock another process holds its lock (and will remove it), or has removed it."""
    real, met = module.lock_now, []

    def lock_now(descriptor: int) -> bool | None:
        if met:
            return real(descriptor)
        met.extend(tmp_path.iterdir())
        if late:
            met[0].rmdir()
        return late

    monkeypatch.setattr(module, "lock_now", lock_now)
    made = Part(tmp_path / "set", folder=True)
    assert len(met) == 1 and made.path != met[0] and made.path.is_dir()

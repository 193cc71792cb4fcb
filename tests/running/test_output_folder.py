"""Where a command writes, and which of its processes does."""

from __future__ import annotations

from pathlib import Path

import pytest

from custom.base.errors import BadInput
from custom.running import OutputFolder
from custom.running.lock import FolderLock


def test_it_is_taken_by_the_first_process_and_let_go(tmp_path: Path) -> None:
    other = OutputFolder(tmp_path / "out", rank=1, world_size=2)
    other.take()
    assert not other.writes and not (tmp_path / "out").exists()
    first, left = OutputFolder(tmp_path / "out", world_size=2), []
    first.take(left.append)
    assert first.writes
    with pytest.raises(BadInput, match="another run is writing here"):
        FolderLock(tmp_path / "out")
    other.release()
    first.release()
    first.release()
    assert left == [tmp_path / "out"] and not (tmp_path / "out").exists()


@pytest.mark.parametrize(("count", "world_size", "share"), [(8, 1, 8), (8, 2, 4), (8, 3, 2), (1, 4, 1)])
def test_a_share_is_never_nothing(count: int, world_size: int, share: int) -> None:
    assert OutputFolder("out", world_size=world_size).share(count) == share

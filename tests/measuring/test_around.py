"""What lies around slabs is that of the whole stack, whichever slabs follow one another."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from custom.measuring.around import Around
from custom.pieces.directions import REACH
from custom.stack import open_stack


@pytest.mark.parametrize("seed", range(6))
def test_it_is_that_of_the_whole(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    voxels = rng.integers(0, 255, (int(rng.integers(2, 60)), 9, 11)).astype(np.uint8)
    np.save(tmp_path / "stack.npy", voxels)
    whole, around, stop = np.pad(voxels, REACH, mode="edge"), Around(open_stack(tmp_path / "stack.npy")), 0
    while stop < len(voxels):
        start = stop + int(rng.integers(0, 3)) * int(rng.integers(0, 9))  # the next one, or one after a gap
        stop = min(start + int(rng.integers(1, 8)), len(voxels))
        if start < stop:
            np.testing.assert_array_equal(around.read(start, stop), whole[start : stop + 2 * REACH])


def test_nothing_is_read_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.save(tmp_path / "stack.npy", np.zeros((40, 5, 5), np.uint8))
    stack, read = open_stack(tmp_path / "stack.npy"), np.zeros(40, int)
    whole = type(stack).read

    def counted(self: object, start: int, stop: int) -> np.ndarray:
        read[start:stop] += 1
        return whole(stack, start, stop)

    monkeypatch.setattr(type(stack), "read", counted)
    around = Around(stack)
    for start in range(0, 40, 8):
        around.read(start, start + 8)
    assert (read == 1).all()

"""Reading one batch ahead: the same batches, one held at most, and what goes wrong is raised."""

from __future__ import annotations

import threading

import pytest
from monai.data import DataLoader

from custom.base.errors import BadInput
from custom.data import ReadAheadLoader


class Counted:
    """Items 0 ... 5 that remember which were read."""

    def __init__(self, broken: int | None = None) -> None:
        self.read: list[int] = []
        self.broken = broken
        self.came = threading.Semaphore(0)

    def __len__(self) -> int:
        return 6

    def __getitem__(self, index: int) -> int:
        self.read.append(index)
        self.came.release()
        if index == self.broken:
            raise BadInput(f"slice {index}: is torn; write it again")
        return index


def test_the_same_batches_in_order_every_time() -> None:
    loader = ReadAheadLoader(Counted(), batch_size=2)
    expected = [batch.tolist() for batch in DataLoader(Counted(), batch_size=2)]
    for _ in range(2):
        assert [batch.tolist() for batch in loader] == expected


def test_one_item_is_read_ahead_and_no_more() -> None:
    items = Counted()
    batches = iter(ReadAheadLoader(items, batch_size=1))
    next(batches)
    for _ in range(2):
        assert items.came.acquire(timeout=60)
    assert not items.came.acquire(timeout=0.2)
    assert items.read == [0, 1]


def test_what_goes_wrong_is_raised_after_what_was_read_before() -> None:
    batches = iter(ReadAheadLoader(Counted(broken=2), batch_size=1))
    assert [int(next(batches)) for _ in range(2)] == [0, 1]
    with pytest.raises(BadInput, match="^slice 2: is torn; write it again$"):
        next(batches)

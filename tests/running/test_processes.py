"""Processes that wait for one another."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from torch.distributed import HashStore

from custom.running import processes
from custom.running.processes import Gathering


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "INTERVAL", 0.01)


def test_alone_nobody_is_waited_for() -> None:
    alone = Gathering()
    alone.arrive("begin")
    alone.wait("begin")


def test_nobody_goes_on_before_all_have_arrived() -> None:
    store = HashStore()
    one, two, three = (Gathering(3, store) for _ in range(3))
    with ThreadPoolExecutor(1) as pool:
        one.arrive("begin")
        waiting = pool.submit(one.wait, "begin")
        two.arrive("begin")
        three.arrive("finish")  # another point
        with pytest.raises(TimeoutError):
            waiting.result(0.2)
        three.arrive("begin")
        waiting.result(10)
    two.wait("begin")

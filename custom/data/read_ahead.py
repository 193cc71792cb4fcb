"""The next batch is read while the last one is worked on."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from monai.data import DataLoader


class ReadAheadLoader(DataLoader):
    """A `DataLoader` that stays one batch ahead in a thread of its own; one batch more is held, never two.

    What goes wrong in reading is raised as it is, when its batch is asked for. MONAI's `ThreadDataLoader` ends early
    instead, as if there were no more batches.
    """

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override]
        """The batches, in order."""
        batches = super().__iter__()
        end = object()
        with ThreadPoolExecutor(1, "read-ahead") as thread:
            coming = thread.submit(next, batches, end)
            while (batch := coming.result()) is not end:
                coming = thread.submit(next, batches, end)
                yield batch

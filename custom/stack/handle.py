"""An open file that survives threads, forked worker processes and pickling."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Generic, Protocol, TypeVar


class Closable(Protocol):
    def close(self) -> Any: ...


T = TypeVar("T", bound=Closable)


class Handle(Generic[T]):
    """Something opened on first use and kept open, lent to one thread at a time.

    A forked process would share the file position with its parent and both would read nonsense, so a new process opens
    its own. A pickled handle travels closed.

    Args:
        opener: opens it; picklable, for instance a `functools.partial` of a function.
    """

    def __init__(self, opener: Callable[[], T]) -> None:
        self._opener = opener
        self._opened: T | None = None
        self._lock = threading.Lock()
        self._process = os.getpid()

    @contextmanager
    def lend(self) -> Iterator[T]:
        """The open thing, for this block alone; after an error inside the block the next loan opens it anew."""
        if self._process != os.getpid():
            self.close()
            self._lock, self._process = threading.Lock(), os.getpid()
        with self._lock:
            if self._opened is None:
                self._opened = self._opener()
            try:
                yield self._opened
            except BaseException:
                self.close()
                raise

    def close(self) -> None:
        """Close it if it is open; a later loan opens it again."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def __reduce__(self) -> tuple[Any, ...]:
        return Handle, (self._opener,)

    def __del__(self) -> None:
        if hasattr(self, "_opened"):
            self.close()

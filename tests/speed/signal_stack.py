"""The stack that this thread handles signals on."""

from __future__ import annotations

import ctypes
from pathlib import Path


class _Stack(ctypes.Structure):
    _fields_ = (("start", ctypes.c_void_p), ("flags", ctypes.c_int), ("size", ctypes.c_size_t))  # sigaltstack(2)


def is_there() -> bool:
    """Whether its memory is this process's: the next signal ends the process where it is not."""
    stack = _Stack()
    ctypes.CDLL(None).sigaltstack(None, ctypes.byref(stack))
    maps = [line.split()[0].split("-") for line in Path("/proc/self/maps").read_text().splitlines()]
    return not stack.size or any(int(start, 16) <= (stack.start or 0) < int(stop, 16) for start, stop in maps)

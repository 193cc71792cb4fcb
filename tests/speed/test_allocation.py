"""Freed memory that is kept takes fewer pages from the system; what is released goes back to it."""

from __future__ import annotations

import platform
import subprocess
import sys

import cli
import pytest

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the allocator is not glibc's")

FAULTS = """
import resource, sys
if sys.argv[1] == "kept":
    assert keep_freed_memory()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    held = [bytearray(2**24) for _ in range(3)]
    del held
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""

GAPS = """
import resource, sys
from pathlib import Path
assert keep_freed_memory(one_heap=True)
held = [bytearray(2**20) for _ in range(128)]
del held[::2]
if sys.argv[1] == "released":
    assert release_freed_memory()
print(int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize())
"""


def printed(program: str, word: str) -> int:
    """What a program prints that has the module's functions, without the seconds that importing its room takes."""
    module = (cli.ROOT / "custom/speed/allocation.py").read_text()
    command = [sys.executable, "-c", f"{module}\n{program}", word]
    ended = subprocess.run(command, cwd=cli.ROOT, env=cli.ENVIRONMENT, capture_output=True, text=True, check=True)
    return int(ended.stdout)


def test_pages_are_taken_once() -> None:
    assert printed(FAULTS, "kept") < printed(FAULTS, "default") / 4


HEAPS = """
import ctypes, sys, tempfile, threading
if sys.argv[1] == "shared":
    assert share_one_heap()
else:
    assert keep_freed_memory(one_heap=sys.argv[1] == "one")
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
threads = [threading.Thread(target=libc.malloc, args=(1000,)) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
libc.fopen.restype, libc.fopen.argtypes = ctypes.c_void_p, [ctypes.c_char_p, ctypes.c_char_p]
libc.malloc_info.argtypes, libc.fclose.argtypes = [ctypes.c_int, ctypes.c_void_p], [ctypes.c_void_p]
with tempfile.NamedTemporaryFile() as told:
    stream = libc.fopen(told.name.encode(), b"w")
    libc.malloc_info(0, stream)
    libc.fclose(stream)
    print(told.read().count(b"<heap nr="))
"""


def test_threads_share_a_heap_where_it_is_asked_for() -> None:
    """By glibc's own account of its heaps."""
    assert printed(HEAPS, "one") == printed(HEAPS, "shared") == 1 < printed(HEAPS, "many")


def test_gaps_of_half_the_memory_go_back() -> None:
    assert printed(GAPS, "held") - printed(GAPS, "released") > 48 * 2**20

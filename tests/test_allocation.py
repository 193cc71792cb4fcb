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
from custom.allocation import keep_freed_memory
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
from custom.allocation import keep_freed_memory, release_freed_memory
assert keep_freed_memory()
held = [bytearray(2**20) for _ in range(128)]
del held[::2]
if sys.argv[1] == "released":
    assert release_freed_memory()
print(int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize())
"""


def printed(program: str, word: str) -> int:
    command = [sys.executable, "-c", program, word]
    ended = subprocess.run(command, cwd=cli.ROOT, env=cli.ENVIRONMENT, capture_output=True, text=True, check=True)
    return int(ended.stdout)


def test_pages_are_taken_once() -> None:
    assert printed(FAULTS, "kept") < printed(FAULTS, "default") / 4


def test_gaps_of_half_the_memory_go_back() -> None:
    assert printed(GAPS, "held") - printed(GAPS, "released") > 48 * 2**20

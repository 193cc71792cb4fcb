"""Freed memory that is kept: fewer pages are taken from the system."""

from __future__ import annotations

import platform
import subprocess
import sys

import cli
import pytest

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


def faults(word: str) -> int:
    command = [sys.executable, "-c", FAULTS, word]
    ended = subprocess.run(command, cwd=cli.ROOT, env=cli.ENVIRONMENT, capture_output=True, text=True, check=True)
    return int(ended.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the allocator is not glibc's")
def test_pages_are_taken_once() -> None:
    assert faults("kept") < faults("default") / 4

"""Telling whether the files of a stack are still the same."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from custom.stack.stack import Stack


def fingerprint(stack: Stack) -> str:
    """A hash over the names, sizes and times of change of all files of a stack, and over its shape and type.

    Voxels are not read: that would take as long as segmenting them. The folder's own path does not count, so that
    machines which mount it elsewhere agree.

    Returns:
        64 hexadecimal digits.
    """
    found = hashlib.sha256(f"{stack.shape} {stack.dtype}".encode())
    for file in stack.files:
        for part in _files(file):
            name = part.relative_to(file.parent).as_posix()
            try:
                status = part.stat()
                found.update(os.fsencode(f"\n{name} {status.st_size} {status.st_mtime_ns}"))
            except FileNotFoundError:
                found.update(os.fsencode(f"\n{name} is gone"))
    return found.hexdigest()


def _files(path: Path) -> Iterator[Path]:
    """The file, or all files below a folder."""
    if not path.is_dir():
        yield path
        return
    yield from sorted(file for file in path.rglob("*") if file.is_file())

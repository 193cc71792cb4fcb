"""SHA-256 of what a file or a stream holds, by which it is known again."""

from __future__ import annotations

import hashlib
import os
from typing import IO

CHUNK = 1 << 20


def sha256_of(file: str | os.PathLike[str] | IO[bytes]) -> str:
    """64 hexadecimal digits, of a file by its path, or of what is left of a stream."""
    if isinstance(file, (str, os.PathLike)):
        with open(file, "rb") as stream:
            return sha256_of(stream)
    found = hashlib.sha256()
    while chunk := file.read(CHUNK):
        found.update(chunk)
    return found.hexdigest()

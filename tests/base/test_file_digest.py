"""The digest of a file and of a stream is that of their bytes, however long they are."""

from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path

from custom.base.digest import CHUNK, sha256_of


def test_a_file_and_a_stream_have_the_digest_of_their_bytes(tmp_path: Path) -> None:
    content = os.urandom(CHUNK + 7)
    (tmp_path / "a").write_bytes(content)
    wanted = hashlib.sha256(content).hexdigest()
    assert sha256_of(tmp_path / "a") == sha256_of(str(tmp_path / "a")) == sha256_of(io.BytesIO(content)) == wanted
    assert sha256_of(io.BytesIO()) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

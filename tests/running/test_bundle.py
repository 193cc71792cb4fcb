"""A command of a bundle in a process of its own: its code and words come back, and it ends in time."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from custom.running import bundle


def test_its_exit_code_words_and_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "python"
    program.write_text('#!/bin/sh\necho "$@"; pwd >&2; exit 3\n')
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    with open(tmp_path / "out", "w") as out, open(tmp_path / "err", "w") as err:
        assert bundle.run_bundle(["run", "a b"], tmp_path, out, err, flags=["-B"]) == 3
    assert (tmp_path / "out").read_text() == "-B -m monai.bundle run a b\n"
    assert (tmp_path / "err").read_text() == f"{tmp_path}\n"


def test_it_is_ended_when_it_takes_too_long() -> None:
    start = time.monotonic()
    with pytest.raises(TimeoutError, match="takes more than 1 s"):
        bundle._ended([sys.executable, "-c", "import time; time.sleep(60)"], 1, stdout=subprocess.DEVNULL)
    assert time.monotonic() - start < 30

"""200 copies of a packed bundle, each damaged at random."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from packs import NAME, refusal, untouched

from custom.sharing.archive import entry

COPIES = 40  # of each kind

Damage = Callable[[Path, Path, np.random.Generator], object]


def flipped(packed: Path, copy: Path, rng: np.random.Generator) -> None:
    content = bytearray(packed.read_bytes())
    content[rng.integers(len(content))] ^= 1 << rng.integers(8)
    copy.write_bytes(content)


def flipped_in_a_header(packed: Path, copy: Path, rng: np.random.Generator) -> None:
    """Times, versions, flags, lengths: much of it is looked at by no reader of zips."""
    content = bytearray(packed.read_bytes())
    with zipfile.ZipFile(packed) as archive:
        start = rng.choice([*(info.header_offset for info in archive.infolist()), archive.start_dir])
    content[start + rng.integers(30)] ^= 1 << rng.integers(8)
    copy.write_bytes(content)


def cut(packed: Path, copy: Path, rng: np.random.Generator) -> None:
    content = packed.read_bytes()
    copy.write_bytes(content[: rng.integers(len(content))])


def rebuilt(packed: Path, copy: Path, rng: np.random.Generator) -> None:
    """A member dropped, or under another name."""
    with zipfile.ZipFile(packed) as archive, zipfile.ZipFile(copy, "w") as target:
        names = archive.namelist()
        chosen = names[rng.integers(len(names))]
        for name in names:
            if name != chosen:
                target.writestr(entry(name), archive.read(name))
            elif rng.random() < 0.5:
                target.writestr(entry(f"{NAME}/docs/renamed_{rng.integers(99)}.txt"), archive.read(name))


def added(packed: Path, copy: Path, rng: np.random.Generator) -> None:
    copy.write_bytes(packed.read_bytes())
    suffix = rng.choice(["py", "json", "txt", "pt", "so"])
    folder = rng.choice([NAME, f"{NAME}/configs", f"{NAME}/{NAME}", "docs", ".."])
    with zipfile.ZipFile(copy, "a") as archive:
        archive.writestr(entry(f"{folder}/added_{rng.integers(99)}.{suffix}"), rng.bytes(20))


@pytest.mark.parametrize("damage", [flipped, flipped_in_a_header, cut, rebuilt, added])
def test_damaged_copies(damage: Damage, packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    copy = tmp_path / "copy.zip"
    with untouched(monkeypatch, tmp_path):
        for _ in range(COPIES):
            damage(packed, copy, rng)
            refusal(copy)

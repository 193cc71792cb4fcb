"""A small growing cell on disk, and the script that compares what is measured of it with its truth."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import cli

from custom.phantom.growing import GrowingCell

SHAPE = (48, 60, 64)


def small_cell(seed: int = 0, scans: int = 3) -> GrowingCell:
    """Three scans of some pieces, moved by up to 3 voxels and 2 degrees."""
    return GrowingCell(SHAPE, scans, seed, (3.0, 2.0))


def script() -> ModuleType:
    """`scripts/benchmarking/series.py`, which draws, measures and compares."""
    found = importlib.util.spec_from_file_location("series_script", cli.ROOT / "scripts/benchmarking/series.py")
    assert found and found.loader
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def lines(listed: Path) -> list[str]:
    """Of a list, without their ends."""
    return listed.read_text(encoding="utf-8").splitlines()

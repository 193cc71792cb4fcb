"""The corruptions of the guard's benchmark, and its tables, on small stacks and on rows made up."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import cli
import numpy as np
import pytest

sys.path.insert(0, str(cli.ROOT / "scripts"))

from benchmarking.corrupting import CORRUPTIONS, STRENGTHS, corrupted
from benchmarking.guard import FOREIGN, HARD, OWN, cases, measured, tables

from custom.phantom import make_dataset

GREY = cli.volume((3, 40, 60))
LABEL = (GREY > 22_000).astype(np.uint8)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_a_corruption_changes_more_the_stronger_it_is(name: str) -> None:
    made = [corrupted(GREY, LABEL, name, strength) for strength in STRENGTHS]
    for grey, label in made:
        assert grey.dtype == np.uint16 and grey.shape == label.shape
    if name == "zoom":
        assert [grey.shape[1] for grey, _ in made] == [35, 64, 26, 88, 16]
        return
    turned = [grey.astype(float) for grey, _ in made]
    unlike = [1 - np.corrcoef(grey.ravel(), GREY.astype(float).ravel())[0, 1] for grey in turned]
    assert unlike[-1] > unlike[0] > -1e-9 and unlike[-1] > 1e-3
    again, _ = corrupted(GREY, LABEL, name, 5)
    np.testing.assert_array_equal(again, made[-1][0])


def test_a_cell_is_measured_and_told(tmp_path: Path) -> None:
    folder = make_dataset(tmp_path / "cells", 3, 4, 40)
    own, *_ = cases(folder, None, [], 0)
    worse = [case for case in cases(None, folder, [], 1) if case.worse == ("blur", 5)]
    rows = [measured(case, tmp_path / "work") for case in (own, *worse)]
    assert [row["verdict"] for row in rows] == ["like", "unlike"] and rows[0]["true"] > rows[1]["true"] > 0
    assert rows[0]["guard_mb"] < 300 and not (tmp_path / "work").exists()


def test_tables() -> None:
    def row(kind: str, distance: float, **others: Any) -> dict[str, Any]:
        verdict = "like" if distance <= 1 else "unlike"
        about = {"expected": 0.9, "from": 0.9, "true": 0.8, "interval": [0.7, 1.0], "seconds": 10.0, "worse": None}
        return {
            "kind": kind,
            "distance": distance,
            "verdict": verdict,
            "guard_seconds": 0.01,
            "guard_mb": 3.0,
            **about,
            **others,
        }

    rows = [
        row(OWN, 0.5),
        row(OWN, 1.5, interval=[0.85, 1.0]),
        row(FOREIGN, 9.0, true=None),
        row(FOREIGN, 1.2, true=None),
    ]
    for name in CORRUPTIONS:
        rows += [row(HARD, 2, worse=[name, s], true=1 - s / 10, expected=1 - s / 10, **{"from": s}) for s in STRENGTHS]
    made = tables(rows)
    assert "| own | 2 | 1 | 1 | 0.50 | 1.00 | 1.50 |" in made and "AUC 0.750; false alarms 50.0%" in made
    assert "| blur | 0.90 0.80 0.70 0.60 0.50 | 0.90 0.80 0.70 0.60 0.50 | 1/1 1/1 1/1 1/1 1/1 |" in made
    assert "rank correlation 1.00 (of probabilities alone -1.00)" in made and "interval, own: 1 of 2" in made

"""The losses on one network, each with the same budget."""

from __future__ import annotations

from typing import Any

from custom.study.page import Table
from custom.study.plan import LOSSES, TRAINED, Study
from custom.study.reading import read_curves
from custom.study.slices import LabelledSlice
from custom.study.table1 import score_text, scored


def measured(study: Study, slices: list[LabelledSlice]) -> dict[str, dict[str, Any]]:
    """Scores, intervals and epochs by the name of the loss."""
    return {
        network.title: scored(study, network, slices)
        | {"epochs": int(read_curves(study.folder(network) / "metrics.csv")["epoch"][-1])}
        for network in LOSSES
    }


def words(found: dict[str, Any]) -> str:
    """What was compared."""
    budget = found["budget_minutes"]
    equal = f"{budget:g} minutes of training" if budget else "the epochs of the full recipe"
    return f"{TRAINED[0].title} with each loss, {equal} each, one seed; scores on the test side."


def table(rows: dict[str, dict[str, Any]]) -> Table:
    """One row per loss."""
    shown = ("dsc_a", "iou_a", "dsc_d")
    body = [[name, str(row["epochs"]), *(score_text(row, score) for score in shown)] for name, row in rows.items()]
    return Table(["loss", "epochs", "mDSC (a)", "mIoU (a)", "mDSC (d)"], body)

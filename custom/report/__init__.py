"""Scores and masks as tables, files and pictures, and those of an earlier command."""

from custom.report.class_table import class_table, confusion_text
from custom.report.earlier import check_output
from custom.report.messages import training_done
from custom.report.most import MostOf
from custom.report.overlay import TRUTH_COLOURS, overlay_mask, overlay_truth, save_overlay
from custom.report.tables import (
    CLASS_COLUMNS,
    SLICE_COLUMNS,
    amounts_line,
    plain,
    scans_lines,
    scores_table,
    shape_line,
    write_json,
    write_scores_csv,
)
from custom.report.triples import triple

__all__ = [
    "confusion_text",
    "class_table",
    "SLICE_COLUMNS",
    "MostOf",
    "CLASS_COLUMNS",
    "TRUTH_COLOURS",
    "amounts_line",
    "scans_lines",
    "check_output",
    "overlay_mask",
    "overlay_truth",
    "plain",
    "save_overlay",
    "scores_table",
    "shape_line",
    "training_done",
    "triple",
    "write_json",
    "write_scores_csv",
]

"""Scores as CSV, JSON and a table for the terminal."""

from __future__ import annotations

import csv
import json
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from custom.base.files import complete_file
from custom.base.readable import HANDLER, readable

SLICE_COLUMNS = (
    *("stack", "z", "tp", "fp", "fn", "tn", "dsc", "iou"),
    *("lithium_voxels_true", "lithium_voxels_predicted"),
    *("surface_dice", "hd95", "cldice", "components_true", "components_predicted"),
)
CLASS_COLUMNS = tuple(
    name
    for column in SLICE_COLUMNS
    for name in (column.removeprefix("lithium_"), *(["class"] if column == "z" else []))
)

AVERAGING = {
    "a": ("per patch (headline)", "mean over patches; a patch empty in label and prediction scores 1"),
    "b": ("per patch with lithium", "as a, without the patches whose label is empty"),
    "c": ("per patch, two classes", "mean over patches of lithium and background"),
    "d": ("pooled", "all voxels counted together"),
}


def write_scores_csv(
    path: str | os.PathLike[str], rows: Iterable[Mapping[str, object]], columns: Sequence[str] = SLICE_COLUMNS
) -> None:
    """Write one row per slice with these columns, `CLASS_COLUMNS` for one of several classes; None becomes an empty cell.

    Raises:
        ValueError: a row has a column too many or too few.
        BadInput: the file cannot be written; nothing is left under its name.
    """
    with complete_file(path) as part, open(part, "w", newline="", encoding="utf-8", errors=HANDLER) as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(columns)
        for row in rows:
            if set(row) != set(columns):
                raise ValueError(f"A row must have the columns {', '.join(columns)}, not {', '.join(row)}.")
            table.writerow([row[column] for column in columns])


def write_json(path: str | os.PathLike[str], content: object) -> None:
    """Write indented, strict JSON. NaN and infinity become null; numpy and torch values and paths are converted, names made
    readable.

    Raises:
        TypeError: a value that JSON cannot hold.
        BadInput: the file cannot be written; nothing is left under its name.
    """
    text = json.dumps(plain(content), indent=2, allow_nan=False, ensure_ascii=False)
    with complete_file(path) as part:
        part.write_text(text + "\n", encoding="utf-8")


def scores_table(scores: Mapping[str, float | None]) -> str:
    """Lay out dsc_a .. iou_d, n_patches and n_empty as lines of text; an undefined score (None) shows as a dash."""
    lines = [f"   {'averaging':<24}{'DSC':>6}  {'IoU':>6}"]
    for key, (name, meaning) in AVERAGING.items():
        dsc, iou = four_places(scores[f"dsc_{key}"]), four_places(scores[f"iou_{key}"])
        lines.append(f"{key}  {name:<24}{dsc:>6}  {iou:>6}  {meaning}")
    lines.append(f"{scores['n_patches']} patches, {scores['n_empty']} of them without lithium in the label")
    return "\n".join(lines)


def shape_line(shape: Mapping[str, Any]) -> str:
    """The scores beside overlap of an evaluation's metrics.json as a line of text, in convention b: slices with lithium."""
    names = ("surface_dice_b", "cldice_b", "hd95_b", "component_error_b")
    boundary, centreline, distance, error = (four_places(shape[name]) for name in names)
    line = (
        f"slices with lithium: surface Dice {boundary} (within {shape['boundary_tolerance']:g} voxels), "
        f"HD95 {distance} voxels, centreline Dice {centreline}, components wrong {error}"
    )
    return line + (f"; missed completely: {shape['n_missed']}" if shape["n_missed"] else "")


def amounts_line(amounts: Mapping[str, Any]) -> str:
    """The lithium found and labelled, and the calibration error, of an evaluation's metrics.json as a line of text."""
    line = f"lithium: {amounts['lithium_voxels_predicted']:,} voxels, labelled {amounts['lithium_voxels_true']:,}"
    if amounts["lithium_volume_error"] is not None:
        low, high = amounts["lithium_voxels_low"], amounts["lithium_voxels_high"]
        line += f" ({100 * amounts['lithium_volume_error']:+.1f} %; {low:,} to {high:,} at the thresholds 0.7 and 0.3)"
    return f"{line}; expected calibration error {four_places(amounts['calibration_error'])}"


def scans_lines(found: Mapping[str, Any]) -> list[str]:
    """How far the scans of an evaluation's metrics.json are apart, as a line of text; none where it tells of one alone."""
    known = {scan: scores["dsc_d"] for scan, scores in found.get("scans", {}).items() if scores["dsc_d"] is not None}
    if len(known) < 2:
        return []
    worst, best = (choose(known, key=known.__getitem__) for choose in (min, max))
    return [f"DSC (d) by scan: {known[worst]:.4f} ({worst}) to {known[best]:.4f} ({best}), of {len(known)} scans"]


def four_places(score: float | None) -> str:
    """A score as text; a dash where there is none."""
    return "-" if score is None else f"{score:.4f}"


def plain(value: Any) -> Any:
    """What `write_json` writes of a value, and reads back as it is."""
    if isinstance(value, (np.ndarray, np.generic, torch.Tensor)):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {readable(str(key)): plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    return readable(value) if isinstance(value, str) else value

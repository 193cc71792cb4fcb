"""The scores of several classes as a table for the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from custom.report.tables import four_places

_HEAD = ("class", "DSC (b)  95 % interval", "DSC (d)  95 % interval", "IoU (d)", "surface Dice (b)", "best grey window")
MOST = 9  # rows of a table of confusions that a terminal shows in full


def class_table(classes: Mapping[str, Mapping[str, Any]], means: Mapping[str, Any]) -> str:
    """One row for each class and one of the means, with the DSC that one grey window, chosen with the labels, reaches.

    Args:
        classes: by name, as metrics.json has them.
        means: metrics.json itself.
    """
    rows = [_HEAD, *(_row(name, found) for name, found in classes.items()), _row("mean", means)]
    tolerance = means["shape"].get("boundary_tolerance", 1)
    meaning = (
        "(b) mean over the patches that hold the class; (d) all voxels counted together; surface Dice: slices that hold the "
        f"class, within {tolerance:g} voxels; best grey window: the DSC (d) of the one window that fits its labels best"
    )
    return "\n".join([*_aligned(rows), meaning])


def confusion_text(table: Mapping[str, Any]) -> str:
    """What the voxels of each label are taken for, in percent of them."""
    labels: Sequence[str] = table["labels"]
    if len(labels) > MOST:
        return "what each class is taken for: confusion in metrics.json"
    rows = [("labelled \\ found", *labels)]
    for name, voxels in zip(labels, table["voxels"], strict=True):
        total = sum(voxels)
        rows.append((name, *(f"{100 * number / total:.1f} %" if total else "-" for number in voxels)))
    return "\n".join(_aligned(rows))


def _row(name: str, found: Mapping[str, Any]) -> tuple[str, ...]:
    window = found.get("best_grey_window")
    return (
        name,
        *(f"{four_places(found[score])}  {_interval(found['interval_95'][score])}" for score in ("dsc_b", "dsc_d")),
        four_places(found["iou_d"]),
        four_places(found["shape"].get("surface_dice_b")),
        four_places(window and window["dsc_d"]),
    )


def _interval(ends: Sequence[float | None]) -> str:
    low, high = ends
    return "[-]" if low is None or high is None else f"[{low:.4f}, {high:.4f}]"


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]

"""What a segmentation says when it is done: how much of each class it found, and where that is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from custom.base.classes import LITHIUM
from custom.guard.told import expected_text

MOST_NAMED = 20  # classes, a line each


def summary_text(summary: Mapping[str, Any], classes: Sequence[str], folder: Path) -> str:
    """Lines for the terminal.

    Args:
        summary: what summary.json holds.
        classes: what was looked for.
        folder: of the results.
    """
    found = (
        f"In {folder}: {summary['mask']}, report.html, summary.json and overlays/, after {summary['seconds']:.1f} s."
    )
    lines = [amounts_text(summary, classes)]
    if expected := expected_text(summary, classes):
        lines.append(f"Expected Dice: {expected}.")
    return "\n".join([*lines, found])


def amounts_text(summary: Mapping[str, Any], classes: Sequence[str]) -> str:
    """How much of each class there is: a line or more, see `summary_text`."""
    return _one_class(summary, classes[0]) if len(classes) == 1 else _by_class(summary)


def _of_voxels(summary: Mapping[str, Any]) -> str:
    text = f"of {summary['voxels'] - summary['outside_voxels']:,} voxels"
    if summary["outside_voxels"]:
        text += f" ({summary['outside_voxels']:,} more lie outside the reconstruction)"
    return text


def _one_class(summary: Mapping[str, Any], name: str) -> str:
    share = f"{100 * summary['volume_fraction']:.3f} % {_of_voxels(summary)}"
    by_threshold = summary["lithium_by_threshold"]
    spread = ""
    if by_threshold:
        least, most = by_threshold[-1], by_threshold[0]
        spread = (
            f"\nBetween the thresholds {most['threshold']} and {least['threshold']}: {most['lithium_voxels']:,} to "
            f"{least['lithium_voxels']:,} voxels."
        )
    volume = f", {summary['lithium_mm3']:.6g} mm3" if "lithium_mm3" in summary else " (voxel size unknown: no volume)"
    title = "Lithium (dendrites and redeposited)" if (name,) == LITHIUM else name
    return f"{title}: {summary['lithium_voxels']:,} voxels, {share}{volume}.{spread}"


def _by_class(summary: Mapping[str, Any]) -> str:
    classes: Mapping[str, Mapping[str, Any]] = summary["classes"]
    longest = max(map(len, classes))
    lines = [f"Classes {_of_voxels(summary)}{'' if summary['voxel_size_um'] else ', whose size is unknown'}:"]
    for name, amount in list(classes.items())[:MOST_NAMED]:
        volume = f", {amount['mm3']:.6g} mm3" if "mm3" in amount else ""
        share = f"{100 * amount['volume_fraction']:7.3f} %"
        lines.append(f"  {name:<{longest}} {amount['voxels']:>15,} voxels, {share}{volume}")
    more = len(classes) - MOST_NAMED
    return "\n".join(lines + ([f"  and {more} more"] if more > 0 else []))

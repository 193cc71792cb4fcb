"""Reliability diagrams of all networks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from custom.base.colours import class_colours
from custom.study.figures.drawing import BLUE, as_text, new_figure, rgb, save
from custom.study.plan import NETWORKS


def draw_calibration(rows: dict[str, dict[str, Any]], path: Path) -> None:
    """Columns: networks; above share of lithium over probability, below voxels of each point on a logarithmic scale."""
    figure = new_figure(3.0 * len(NETWORKS), 4.6)
    grid = figure.subplots(2, len(NETWORKS), sharex=True, sharey="row", height_ratios=(3, 1))
    for column, network in enumerate(NETWORKS):
        above, below = grid[0, column], grid[1, column]
        above.plot([0, 1], [0, 1], "--", color="black", linewidth=1)
        lines = _lines(rows[network.name])
        for bins, colour, name in lines:
            probability = [row["mean_probability"] for row in bins]
            shares = [row.get("lithium_share", row.get("share")) for row in bins]
            above.plot(probability, shares, "o-", color=colour, markersize=4, label=name)
        above.set_title(network.title, fontsize=10)
        above.set_aspect("equal")
        above.set_xlim(0, 1)
        above.set_ylim(0, 1)
        for i, (bins, colour, _) in enumerate(lines):
            below.bar(
                [row["from"] + (row["to"] - row["from"]) * (i + 0.5) / len(lines) for row in bins],
                [row["voxels"] for row in bins],
                width=[0.9 * (row["to"] - row["from"]) / len(lines) for row in bins],
                color=colour,
            )
        below.set_yscale("log")
        below.set_xlabel("probability of lithium" if len(lines) == 1 else "probability of the class")
        for axes in (above, below):
            axes.grid(alpha=0.3)
    several = "classes" in rows[NETWORKS[0].name]
    grid[0, 0].set_ylabel("share that is of the class" if several else "share that is lithium")
    if several:
        grid[0, 0].legend(frameon=False, fontsize=8)
    grid[1, 0].set_ylabel("voxels")
    save(figure, path)


def _lines(row: dict[str, Any]) -> list[tuple[list[dict[str, Any]], Any, str]]:
    """Bins, colour and name of the one class, or of each."""
    if "classes" not in row:
        return [(row["reliability"], BLUE, "lithium")]
    colours = class_colours(list(row["classes"]))
    return [(one["reliability"], rgb(colours[name]), as_text(name)) for name, one in row["classes"].items()]

"""Reliability diagrams of all networks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from custom.study.figures.drawing import BLUE, new_figure, save
from custom.study.plan import NETWORKS


def draw_calibration(rows: dict[str, dict[str, Any]], path: Path) -> None:
    """Columns: networks; above share of lithium over probability, below voxels of each point on a logarithmic scale."""
    figure = new_figure(3.0 * len(NETWORKS), 4.6)
    grid = figure.subplots(2, len(NETWORKS), sharex=True, sharey="row", height_ratios=(3, 1))
    for column, network in enumerate(NETWORKS):
        bins = rows[network.name]["reliability"]
        probability = [row["mean_probability"] for row in bins]
        above, below = grid[0, column], grid[1, column]
        above.plot([0, 1], [0, 1], "--", color="black", linewidth=1)
        above.plot(probability, [row["lithium_share"] for row in bins], "o-", color=BLUE, markersize=4)
        above.set_title(network.title, fontsize=10)
        above.set_aspect("equal")
        above.set_xlim(0, 1)
        above.set_ylim(0, 1)
        below.bar(
            [(row["from"] + row["to"]) / 2 for row in bins],
            [row["voxels"] for row in bins],
            width=[0.9 * (row["to"] - row["from"]) for row in bins],
            color=BLUE,
        )
        below.set_yscale("log")
        below.set_xlabel("probability of lithium")
        for axes in (above, below):
            axes.grid(alpha=0.3)
    grid[0, 0].set_ylabel("share that is lithium")
    grid[1, 0].set_ylabel("voxels")
    save(figure, path)

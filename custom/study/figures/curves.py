"""Figure 10: loss and Dice of training and validation over the epochs."""

from __future__ import annotations

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from custom.study.figures.drawing import BLUE, VERMILLION, new_figure, save
from custom.study.plan import TRAINED, Study
from custom.study.reading import read_curves

PANELS = {"loss": ("train_loss", "val_loss"), "mean Dice per patch": ("train_mdsc", "val_mdsc")}


def draw_curves(study: Study, path: Path) -> None:
    """Rows: networks; columns: loss and Dice."""
    figure = new_figure(9, 2.6 * len(TRAINED))
    grid = figure.subplots(len(TRAINED), len(PANELS), squeeze=False)
    for row, network in enumerate(TRAINED):
        curves = read_curves(study.folder(network) / "metrics.csv")
        for column, (what, names) in enumerate(PANELS.items()):
            axes = grid[row, column]
            _draw(axes, curves, names)
            axes.set_title(network.title, fontsize=10, loc="left")
            axes.set_ylabel(what)
            if row == len(TRAINED) - 1:
                axes.set_xlabel("epoch")
            if "Dice" in what:
                axes.set_ylim(0, 1)
            else:
                axes.set_ylim(bottom=0)
    grid[0, 0].legend(frameon=False)
    save(figure, path)


def _draw(axes: Axes, curves: dict[str, list[float]], names: tuple[str, str]) -> None:
    looks = (("training", BLUE, "-", "o"), ("validation", VERMILLION, "--", "s"))
    few = len(curves.get("epoch", [])) <= 30  # a lone epoch draws no line
    for name, (label, colour, style, marker) in zip(names, looks, strict=True):
        if name in curves:
            axes.plot(
                *(curves["epoch"], curves[name], style),
                color=colour,
                label=label,
                marker=marker if few else "",
                markersize=3,
            )
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.3)

"""What all figures share: colours, legend, saving."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from custom.base.classes import UNLABELLED
from custom.base.colours import Colour, class_colours
from custom.base.files import complete_file
from custom.base.readable import readable
from custom.report import TRUTH_COLOURS, overlay_mask, overlay_truth

DPI = 150
# Okabe and Ito's palette, as in custom.report.overlay
BLUE, VERMILLION = "#0072B2", "#D55E00"


def new_figure(width: float, height: float) -> Figure:
    """A figure of so many inches, drawn without a window."""
    figure = Figure(figsize=(width, height), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def as_text(name: str) -> str:
    """The name of a file as text of a figure, where `$` would begin a formula."""
    return readable(name).replace("$", r"\$")


def save(figure: Figure, path: Path) -> None:
    """Write the figure as PNG.

    Raises:
        BadInput: the file cannot be written.
    """
    with complete_file(path) as part:
        figure.savefig(part, format="png", facecolor="white")


def show(axes: Axes, picture: NDArray, title: str = "") -> None:
    """A grey picture in [0, 1], or RGB, without ticks."""
    axes.imshow(picture, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_title(title, fontsize=10)


def found_legend(figure: Figure, classes: Sequence[str]) -> None:
    """The colours of right and wrong voxels, or of several classes, below the figure."""
    colours = TRUTH_COLOURS if len(classes) == 1 else class_colours(classes)
    handles = [Patch(facecolor=rgb(colour), label=as_text(name)) for name, colour in colours.items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=min(6, len(handles)), frameon=False, fontsize=10)


def rgb(colour: Colour) -> tuple[float, float, float]:
    """From 0 .. 255 to [0, 1]."""
    return (colour[0] / 255, colour[1] / 255, colour[2] / 255)


def label_picture(label: NDArray[np.uint8], classes: Sequence[str]) -> NDArray[np.float64]:
    """Lithium white or several classes in their colours, background black, unlabelled grey."""
    plain: NDArray[np.float64] = np.where(label == UNLABELLED, 0.5, np.where(label == 1, 1.0, 0.0))
    if len(classes) == 1:
        return plain
    colours = np.zeros((256, 3))
    colours[UNLABELLED] = 0.5
    colours[1 : 1 + len(classes)] = [rgb(colour) for colour in class_colours(classes).values()]
    picture: NDArray[np.float64] = colours[label]
    return picture


def found_picture(
    image: NDArray[Any], found: NDArray[np.uint8], label: NDArray[np.uint8], classes: Sequence[str]
) -> NDArray[np.uint8]:
    """What a network finds: right and wrong voxels in colour, or several classes in their colours."""
    return overlay_truth(image, found, label) if len(classes) == 1 else overlay_mask(image, found)


def scale_bar(axes: Axes, width: int, voxel_um: float | None) -> None:
    """A bar of a round length, about a fifth of a picture of `width` voxels; in voxels where their size is unknown."""
    size, unit = (voxel_um, "µm") if voxel_um else (1.0, "voxels")
    wanted = width * size / 5
    power = 10.0 ** np.floor(np.log10(wanted))
    length = max(step * power for step in (1, 2, 5) if step * power <= wanted)
    place = axes.get_xaxis_transform()  # x in voxels, y as a share of the axes
    axes.plot([0, length / size], [-0.06, -0.06], color="black", linewidth=3, transform=place, clip_on=False)
    axes.text(length / size + 0.02 * width, -0.06, f"{length:g} {unit}", transform=place, va="center", fontsize=9)

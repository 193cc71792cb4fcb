"""Figure 11: a whole slice under all networks."""

from __future__ import annotations

from pathlib import Path

from numpy.typing import NDArray

from custom.stack import source
from custom.study.figures.drawing import (
    as_text,
    found_legend,
    found_picture,
    label_picture,
    new_figure,
    save,
    scale_bar,
    show,
)
from custom.study.plan import NETWORKS, Study
from custom.study.slices import LabelledSlice

WIDE = 2.5  # slices of a larger ratio of sides are set one below the other


def draw_slice(study: Study, slices: list[LabelledSlice], path: Path) -> None:
    """The test slice with most lithium: input, label and what each network finds, in colour."""
    classes = study.reading.classes
    piece = max(slices, key=lambda piece: piece.item["lithium"])
    image, label = piece.image, piece.label
    panels: dict[str, NDArray] = {"input": image, "label": label_picture(label, classes)}
    for network in NETWORKS:
        found = piece.prediction(study.folder(network, "test"))
        panels[network.title] = found_picture(image, found, label, classes)
    height, width = label.shape
    columns = 1 if width / height > WIDE else 2
    rows = -(-len(panels) // columns)
    inches = 10 / columns
    figure = new_figure(10, rows * (inches * height / width + 0.35) + 0.8)
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, (title, picture) in zip(grid, panels.items(), strict=False):
        show(axes, picture, title)
    voxel = source(piece.item, "image").open().voxel_size_um
    scale_bar(grid[len(panels) - columns], width, voxel[2] if voxel else None)
    stem, z = piece.place
    figure.suptitle(f"{as_text(stem)}, slice {z}", fontsize=11)
    found_legend(figure, classes)
    save(figure, path)

"""Figure 6: patches with a high, a moderate and a low concentration of lithium, under all networks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from custom.base.classes import UNLABELLED
from custom.base.errors import BadInput
from custom.study.figures.drawing import as_text, found_legend, found_picture, label_picture, new_figure, save, show
from custom.study.plan import NETWORKS, Study
from custom.study.slices import LabelledSlice

PATCH = 128
CONCENTRATIONS = {"high": 1.0, "moderate": 0.5, "low": 0.15}  # quantile among the patches that hold lithium


@dataclass(frozen=True)
class ChosenPatch:
    """A tile of a slice: its upper left corner, and the share of lithium, or of all classes, among its labelled voxels."""

    piece: LabelledSlice
    y: int
    x: int
    share: float


def choose_patches(slices: list[LabelledSlice]) -> dict[str, ChosenPatch]:
    """One patch for each of `CONCENTRATIONS`; tiles that reach over the edge count only where no other holds lithium.

    Raises:
        BadInput: no slice holds lithium.
    """
    whole: list[ChosenPatch] = []
    cut: list[ChosenPatch] = []
    for piece in slices:
        label = piece.label
        for y in range(0, label.shape[0], PATCH):
            for x in range(0, label.shape[1], PATCH):
                tile = label[y : y + PATCH, x : x + PATCH]
                rich = (tile != 0) & (tile != UNLABELLED)
                if rich.any():
                    share = float(rich.sum() / (tile != UNLABELLED).sum())
                    (whole if tile.shape == (PATCH, PATCH) else cut).append(ChosenPatch(piece, y, x, share))
    found = sorted(whole or cut, key=lambda patch: patch.share)
    if not found:
        raise BadInput("The test side holds no voxel labelled 1: name slices with lithium for it in splits.json.")
    return {name: found[round(q * (len(found) - 1))] for name, q in CONCENTRATIONS.items()}


def draw_patches(study: Study, slices: list[LabelledSlice], path: Path) -> None:
    """Rows: concentrations; columns: input, label and what each network finds, in colour."""
    classes = study.reading.classes
    what = "lithium" if len(classes) == 1 else "of all classes"
    chosen = choose_patches(slices)
    figure = new_figure(2.1 * (2 + len(NETWORKS)), 2.1 * len(chosen) + 0.6)
    grid = figure.subplots(len(chosen), 2 + len(NETWORKS), squeeze=False)
    for row, (name, patch) in enumerate(chosen.items()):
        place = np.s_[patch.y : patch.y + PATCH, patch.x : patch.x + PATCH]
        image, label = patch.piece.image[place], patch.piece.label[place]
        show(grid[row, 0], image, "input" if row == 0 else "")
        show(grid[row, 1], label_picture(label, classes), "label" if row == 0 else "")
        for column, network in enumerate(NETWORKS, 2):
            found = patch.piece.prediction(study.folder(network, "test"))[place]
            show(grid[row, column], found_picture(image, found, label, classes), network.title if row == 0 else "")
        stem, z = patch.piece.place
        text = f"{name}: {100 * patch.share:.1f} % {what}\n{as_text(stem)}, slice {z}"
        grid[row, 0].set_ylabel(text, fontsize=9)
    found_legend(figure, classes)
    save(figure, path)

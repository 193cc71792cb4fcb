"""What needs no training: thresholds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from comparing.task import UNLABELLED, Task, keep_probability
from custom.metrics.grey_window import best_grey_window

MEDIAN = 3  # voxels


def otsu(task: Task, folder: Path) -> dict[str, Any]:
    """Median filter and one Otsu threshold for all test slices, as scikit-image has it; the brighter or the darker side,
    whichever is right more often on the training side."""
    from skimage.filters import threshold_otsu

    smooth = {piece.place: median_filter(piece.image, size=MEDIAN) for piece in task.sides["test"]}
    cut = float(threshold_otsu(np.concatenate([plane.ravel() for plane in smooth.values()])))
    training = [(median_filter(piece.image, size=MEDIAN), piece.label) for piece in task.sides["train"]]
    brighter = sum(_balance(plane, label, cut) for plane, label in training) >= 0
    for piece in task.sides["test"]:
        plane = smooth[piece.place]
        keep_probability(folder, piece, (plane > cut) if brighter else (plane <= cut))
    return {"threshold": cut, "lithium": "brighter" if brighter else "darker", "changed": "nothing"}


def _balance(plane: NDArray[Any], label: NDArray[Any], cut: float) -> int:
    """Lithium voxels that are brighter than the cut, less those that are darker."""
    lithium = plane[label == 1]
    return int((lithium > cut).sum()) - int((lithium <= cut).sum())


def grey_window(task: Task, folder: Path) -> dict[str, Any]:
    """The grey window of highest Dice on the training side, found exactly, after the same median filter."""
    planes = [(median_filter(piece.image, size=MEDIAN), piece.label) for piece in task.sides["train"]]
    image, label = (np.concatenate([np.asarray(pair[i]).ravel() for pair in planes]) for i in (0, 1))
    known = label != UNLABELLED
    low, high, dice = best_grey_window(image[known], label[known])
    for piece in task.sides["test"]:
        plane = median_filter(piece.image, size=MEDIAN)
        keep_probability(folder, piece, (plane >= low) & (plane <= high))
    return {"window": [low, high], "dice_on_train": dice, "changed": "nothing"}

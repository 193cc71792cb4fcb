"""Which classes are taken for which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from custom.base.classes import UNLABELLED


def confusion(pred: ArrayLike, label: ArrayLike, classes: int) -> NDArray[np.int64]:
    """(classes + 1, classes + 1) numbers of labelled voxels, by label (row) and prediction (column); 0 is the background.

    Args:
        pred, label: one shape, whole numbers from 0 to `classes`, and 255 in the label.
    """
    found, truth = np.asarray(pred), np.asarray(label)
    known = truth != UNLABELLED
    side = classes + 1
    cells = truth[known].astype(np.int64) * side + found[known].astype(np.int64)
    return np.bincount(cells, minlength=side * side).reshape(side, side)


def confusion_table(voxels: NDArray[np.int64], classes: Sequence[str]) -> dict[str, Any]:
    """As metrics.json has it: `labels`, which name rows (label) and columns (prediction), and the `voxels`."""
    return {"labels": ["background", *classes], "voxels": voxels.tolist()}

"""All scores of one class, slice by slice."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from custom.base.classes import UNLABELLED
from custom.metrics.overlap import pooled_scores
from custom.metrics.reliability import calibration_error, reliability_bins, reliability_table
from custom.metrics.shape_set import ShapeScores
from custom.metrics.tiles import tile_counts

Place = tuple[str, int]


class OneClass:
    """Collects what is scored of one class against all else.

    Args:
        shape: collects the boundary, centreline and component scores.

    Attributes:
        rows: of each slice, as `per_slice.csv` has them.
    """

    def __init__(self, shape: ShapeScores) -> None:
        self.shape = shape
        self.rows: list[dict[str, Any]] = []
        self.bins = torch.zeros(1)

    def add(self, place: Place, pred: NDArray[Any], label: NDArray[Any], probability: torch.Tensor) -> dict[str, Any]:
        """Score one slice; returns its row.

        Args:
            place: stem of the stack and z.
            pred, label: (Y, X), {0, 1} and, in the label, 255.
            probability: of the class, in [0, 1], as many values as the label has.
        """
        pooled = pooled_scores(tile_counts(pred, label))
        truth = torch.as_tensor(label).to(probability.device)
        self.bins = self.bins + reliability_bins(probability.reshape(truth.shape), truth)
        row = {"stack": place[0], "z": place[1], **pooled, **self.shape.add(place, pred, label)}
        self.rows.append(row)
        return row

    def amounts(self) -> dict[str, Any]:
        """Voxels of label and prediction, the volume's error, and how well the probability is calibrated."""
        true, predicted = (sum(row[f"lithium_voxels_{side}"] for row in self.rows) for side in ("true", "predicted"))
        return {
            "lithium_voxels_true": true,
            "lithium_voxels_predicted": predicted,
            "lithium_volume_error": (predicted - true) / true if true else None,
            "calibration_error": calibration_error(self.bins),
            "reliability": reliability_table(self.bins),
        }


def of_value(plane: NDArray[Any], value: int) -> NDArray[np.uint8]:
    """A label or mask of several classes as one of the class `value` alone: 1, else 0; 255 stays."""
    binary: NDArray[np.uint8] = np.where(plane == UNLABELLED, UNLABELLED, plane == value).astype(np.uint8)
    return binary

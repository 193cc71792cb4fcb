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
RANGE = (0.7, 0.3)  # thresholds between which a volume is stated, as quantities.json does


class OneClass:
    """Collects what is scored of one class against all else.

    Args:
        shape: collects the boundary, centreline and component scores.

    Attributes:
        rows: of each slice, as `per_slice.csv` has them.
        ranges: of each stack, how many labelled voxels have at least the probabilities of `RANGE`.
    """

    def __init__(self, shape: ShapeScores) -> None:
        self.shape = shape
        self.rows: list[dict[str, Any]] = []
        self.bins = torch.zeros(1)
        self.ranges: dict[str, NDArray[np.int64]] = {}

    def add(self, place: Place, pred: NDArray[Any], label: NDArray[Any], probability: torch.Tensor) -> dict[str, Any]:
        """Score one slice; returns its row.

        Args:
            place: stem of the stack and z.
            pred, label: (Y, X), {0, 1} and, in the label, 255.
            probability: of the class, in [0, 1], as many values as the label has.
        """
        pooled = pooled_scores(tile_counts(pred, label))
        truth = torch.as_tensor(label).to(probability.device)
        probability = probability.reshape(truth.shape)
        self.bins = self.bins + reliability_bins(probability, truth)
        known = probability[truth != UNLABELLED]
        reached = np.array([int((known >= threshold).sum()) for threshold in RANGE])
        self.ranges[place[0]] = self.ranges.get(place[0], 0) + reached
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
            **stated_range(sum(self.ranges.values(), np.zeros(2, np.int64)), true),
            "calibration_error": calibration_error(self.bins),
            "reliability": reliability_table(self.bins),
        }


def stated_range(reached: NDArray[np.int64], true: int) -> dict[str, Any]:
    """The volume at the thresholds of `RANGE`, and whether the labelled one lies between."""
    low, high = (int(voxels) for voxels in reached)
    return {"lithium_voxels_low": low, "lithium_voxels_high": high, "true_volume_in_range": low <= true <= high}


def of_value(plane: NDArray[Any], value: int) -> NDArray[np.uint8]:
    """A label or mask of several classes as one of the class `value` alone: 1, else 0; 255 stays."""
    binary: NDArray[np.uint8] = np.where(plane == UNLABELLED, UNLABELLED, plane == value).astype(np.uint8)
    return binary

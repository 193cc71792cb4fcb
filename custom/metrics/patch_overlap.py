"""The overlap of a run's slices, collected tile by tile."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from monai.metrics import CumulativeIterationMetric

from custom.base.classes import LITHIUM
from custom.base.errors import BadInput
from custom.metrics.overlap import Scores, class_scores, scores_of
from custom.metrics.tiles import all_class_tile_counts, all_tile_counts, labelled_only


class PatchOverlap(CumulativeIterationMetric):
    """MONAI metric over tiles of `patch` voxels: `aggregate` gives the headline mDSC (a), `scores` all conventions.

    Call it with `y_pred` {0, 1} and `y` {0, 1, 255}, each (B, 1, Y, X) or a list of (1, Y, X) whose sizes may differ; with
    several classes both hold 0 to K in place of 0 and 1, and the scores are means over the classes.
    Buffers hold the counts of each tile, one row of TP, FP, FN, TN (one for each class), and are gathered over all ranks.

    Args:
        patch: side of a tile in voxels.
        classes: what is looked for, in the order of the label values 1, 2, ...
    """

    def __init__(self, patch: int = 128, classes: Sequence[str] = LITHIUM) -> None:
        self.patch = patch
        self.classes = tuple(classes)
        super().__init__()

    def reset(self) -> None:
        """Forget all tiles. The row of zeros lets a rank that was given no slice take part in the gathering."""
        super().reset()
        several = len(self.classes) > 1
        self.append(torch.zeros((len(self.classes), 4) if several else 4, dtype=torch.int64))

    def _compute_tensor(self, y_pred: torch.Tensor, y: torch.Tensor | None = None, **kwargs: Any) -> torch.Tensor:
        if y is None:
            raise ValueError("PatchOverlap compares a prediction with a label: give both y_pred and y.")
        if len(self.classes) == 1:
            return all_tile_counts(y_pred, y, self.patch)
        return all_class_tile_counts(y_pred, y, len(self.classes), self.patch)

    def get_buffer(self) -> torch.Tensor:
        """(tiles, 4) or (tiles, classes, 4) int64 counts of all ranks, tiles without a labelled voxel left out."""
        return labelled_only(super().get_buffer())

    def scores(self) -> Scores:
        """All of :func:`~custom.metrics.overlap.scores_of` over the tiles of all ranks."""
        return scores_of(self.get_buffer())

    def class_scores(self) -> dict[str, Scores]:
        """The same scores of each class by its name."""
        counts = self.get_buffer()
        return class_scores(counts.unsqueeze(1) if counts.ndim == 2 else counts, self.classes)

    def aggregate(self) -> torch.Tensor:
        """The headline mDSC (a) as a 0-d float64 tensor; refuses where no labelled voxel was scored."""
        headline = self.scores()["dsc_a"]
        if headline is None:
            raise BadInput(
                "The slices to be scored hold no labelled voxel (all are 255, or there is no slice): "
                "label some of them with 0 and 1, or choose other slices in splits.json."
            )
        return torch.tensor(headline, dtype=torch.float64)

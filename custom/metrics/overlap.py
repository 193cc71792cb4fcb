"""DSC and IoU of a binary prediction over tiles, in four averaging conventions."""

from __future__ import annotations

from typing import Any

import torch
from monai.metrics import CumulativeIterationMetric

from custom.base.errors import BadInput
from custom.metrics.tiles import all_tile_counts, labelled_only

Scores = dict[str, float | None]


def pooled_scores(counts: torch.Tensor) -> Scores:
    """Pool tiles (of one slice, say) into one count: tp, fp, fn, tn, dsc, iou, lithium_voxels_true and _predicted.

    Counts are ints and cover labelled voxels only, so that the two lithium counts are of the same voxels. DSC and IoU
    in [0, 1] are 1 where label and prediction are both empty, and None where no voxel is labelled.
    """
    tp, fp, fn, tn = counts.sum(dim=0).double()
    labelled = tp + fp + fn + tn > 0
    return {
        "tp": int(tp),
        "fp": int(fp),
        "fn": int(fn),
        "tn": int(tn),
        "dsc": dsc(tp, fp + fn).item() if labelled else None,
        "iou": iou(tp, fp + fn).item() if labelled else None,
        "lithium_voxels_true": int(tp + fn),
        "lithium_voxels_predicted": int(tp + fp),
    }


def overlap_scores(counts: torch.Tensor) -> Scores:
    """DSC and IoU in [0, 1] over tiles, in four averaging conventions.

    a: mean over tiles of the foreground score, a tile that is empty in label and prediction scores 1 (the headline);
    b: as a, without the tiles whose label is empty; c: mean over tiles of foreground and background score, either
    scores 1 where its class is absent from both; d: foreground score of all voxels pooled.

    As IoU = D / (2 - D) is convex, the mean IoU of a and of b lies in [D / (2 - D), D], D being the mean DSC.

    Args:
        counts: (tiles, 4), columns TP, FP, FN, TN, as :func:`~custom.metrics.tiles.tile_counts` returns them; rows of
            zeros (nothing labelled) are left out.

    Returns:
        dsc_a .. dsc_d, iou_a .. iou_d, and the ints n_patches and n_empty (tiles whose label is empty). None stands for
        a score without a tile to average: all four where nothing is labelled, b where no tile holds lithium.
    """
    tiles = labelled_only(counts.cpu()).double()
    tp, fp, fn, tn = tiles.unbind(dim=1)
    errors, lithium = fp + fn, tp + fn > 0
    pooled = pooled_scores(tiles)
    scores: Scores = {}
    for name, score in (("dsc", dsc), ("iou", iou)):
        foreground = score(tp, errors)
        scores[f"{name}_a"] = _mean(foreground)
        scores[f"{name}_b"] = _mean(foreground[lithium])
        scores[f"{name}_c"] = _mean((foreground + score(tn, errors)) / 2)
        scores[f"{name}_d"] = pooled[name]
    return scores | {"n_patches": len(tiles), "n_empty": int((~lithium).sum())}


class PatchOverlap(CumulativeIterationMetric):
    """MONAI metric over tiles of `patch` voxels: `aggregate` gives the headline mDSC (a), `scores` all conventions.

    Call it with `y_pred` {0, 1} and `y` {0, 1, 255}, each (B, 1, Y, X) or a list of (1, Y, X) whose sizes may differ.
    Buffers hold the counts of each tile, one row of TP, FP, FN, TN, and are gathered over all ranks.
    """

    def __init__(self, patch: int = 128) -> None:
        self.patch = patch
        super().__init__()

    def reset(self) -> None:
        """Forget all tiles. The row of zeros lets a rank that was given no slice take part in the gathering."""
        super().reset()
        self.append(torch.zeros(4, dtype=torch.int64))

    def _compute_tensor(self, y_pred: torch.Tensor, y: torch.Tensor | None = None, **kwargs: Any) -> torch.Tensor:
        if y is None:
            raise ValueError("PatchOverlap compares a prediction with a label: give both y_pred and y.")
        return all_tile_counts(y_pred, y, self.patch)

    def get_buffer(self) -> torch.Tensor:
        """(tiles, 4) int64 counts of all ranks, tiles without a labelled voxel left out."""
        return labelled_only(super().get_buffer())

    def scores(self) -> Scores:
        """All of :func:`overlap_scores` over the tiles of all ranks."""
        return overlap_scores(self.get_buffer())

    def aggregate(self) -> torch.Tensor:
        """The headline mDSC (a) as a 0-d float64 tensor; refuses where no labelled voxel was scored."""
        headline = self.scores()["dsc_a"]
        if headline is None:
            raise BadInput(
                "The slices to be scored hold no labelled voxel (all are 255, or there is no slice): "
                "label some of them with 0 and 1, or choose other slices in splits.json."
            )
        return torch.tensor(headline, dtype=torch.float64)


def dsc(hits: torch.Tensor, errors: torch.Tensor) -> torch.Tensor:
    """2 hits / (2 hits + errors), 1 where the class is absent from label and prediction."""
    return torch.where(hits + errors == 0, 1.0, 2 * hits / (2 * hits + errors))


def iou(hits: torch.Tensor, errors: torch.Tensor) -> torch.Tensor:
    """hits / (hits + errors), 1 where the class is absent from label and prediction."""
    return torch.where(hits + errors == 0, 1.0, hits / (hits + errors))


def _mean(values: torch.Tensor) -> float | None:
    return values.mean().item() if len(values) else None

"""DSC and IoU over tiles, in four averaging conventions."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from custom.metrics.tiles import labelled_only

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


def class_scores(counts: torch.Tensor, classes: Sequence[str]) -> dict[str, Scores]:
    """:func:`overlap_scores` of each class by its name, every class against all the rest.

    Args:
        counts: (tiles, classes, 4), as :func:`~custom.metrics.tiles.class_tile_counts` returns them.
        classes: the names, in the order of the label values.
    """
    return {name: overlap_scores(counts[:, place]) for place, name in enumerate(classes)}


def mean_scores(counts: torch.Tensor) -> Scores:
    """Means over the classes of the scores that :func:`overlap_scores` gives each of them.

    A class that is missed completely has the score 0 and counts; one without the score (None) stays out of its mean.

    Args:
        counts: (tiles, classes, 4).

    Returns:
        dsc_a .. iou_d as means; n_patches, and n_empty, the tiles whose label holds no class at all.
    """
    rows = [overlap_scores(of_class) for of_class in counts.unbind(dim=1)]
    names = [name for name in rows[0] if not name.startswith("n_")]
    known = {name: [score for row in rows if (score := row[name]) is not None] for name in names}
    tiles = labelled_only(counts.cpu())
    held = (tiles[..., 0] + tiles[..., 2]).sum(dim=1) > 0
    means: Scores = {name: sum(values) / len(values) if values else None for name, values in known.items()}
    return means | {"n_patches": len(tiles), "n_empty": int((~held).sum())}


def scores_of(counts: torch.Tensor) -> Scores:
    """:func:`overlap_scores` of (tiles, 4), :func:`mean_scores` of (tiles, classes, 4)."""
    return overlap_scores(counts) if counts.ndim == 2 else mean_scores(counts)


def dsc(hits: torch.Tensor, errors: torch.Tensor) -> torch.Tensor:
    """2 hits / (2 hits + errors), 1 where the class is absent from label and prediction."""
    return torch.where(hits + errors == 0, 1.0, 2 * hits / (2 * hits + errors))


def iou(hits: torch.Tensor, errors: torch.Tensor) -> torch.Tensor:
    """hits / (hits + errors), 1 where the class is absent from label and prediction."""
    return torch.where(hits + errors == 0, 1.0, hits / (hits + errors))


def _mean(values: torch.Tensor) -> float | None:
    return values.mean().item() if len(values) else None

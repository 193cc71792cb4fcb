"""The shape scores of a set of slices as sums over blocks of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from custom.metrics.bootstrap import Ratios, divided, resampled
from custom.metrics.shape import Shape

Values = NDArray[np.float64]


def shape_ratios(shapes: Sequence[Shape], blocks: NDArray[np.int64], voxel_um: Sequence[float] | None) -> Ratios:
    """Sums whose ratios are the scores of :class:`~custom.metrics.shape_set.ShapeScores`.

    Args:
        shapes: of the slices.
        blocks: (slices,) the block of each, from 0 without a gap.
        voxel_um: the unit of each slice's distances in micrometres; None where unknown.

    Returns:
        by score two arrays (blocks,). Of the pooled clDice there are its two shares, `precision_d` and `sensitivity_d`.
    """
    columns = _pooled(shapes)
    present = np.array([shape.present for shape in shapes])
    for name, values in _values(shapes, voxel_um).items():
        for convention, counted in (("a", ~np.isnan(values)), ("b", ~np.isnan(values) & present)):
            columns[f"{name}_{convention}"] = (np.where(counted, values, 0.0), counted.astype(np.float64))
    onehot = np.eye(int(blocks.max()) + 1)[blocks]
    return {name: (above @ onehot, below @ onehot) for name, (above, below) in columns.items()}


def point_scores(ratios: Ratios) -> dict[str, Values]:
    """Each score over all blocks as a 0-d array, not-a-number where no slice defines it."""
    return _joined({name: divided(name, above.sum(), below.sum()) for name, (above, below) in ratios.items()})


def drawn_scores(ratios: Ratios) -> dict[str, Values]:
    """Each score (resamples,) of blocks drawn with replacement."""
    return _joined(resampled(ratios))


def _values(shapes: Sequence[Shape], voxel_um: Sequence[float] | None) -> dict[str, Values]:
    """Each score of every slice, not-a-number where it has none."""
    names = ("surface_dice", "hd95", "cldice", "component_error")
    values = {name: np.array([getattr(shape, name) for shape in shapes], dtype=np.float64) for name in names}
    return values if voxel_um is None else values | {"hd95_um": values["hd95"] * np.asarray(voxel_um)}


def _pooled(shapes: Sequence[Shape]) -> Ratios:
    boundary = np.array([shape.boundary for shape in shapes], dtype=np.float64)
    centreline = np.array([shape.centreline for shape in shapes], dtype=np.float64)
    return {
        "surface_dice_d": (boundary[:, 0], boundary[:, 1]),
        "precision_d": (centreline[:, 0], centreline[:, 1]),
        "sensitivity_d": (centreline[:, 2], centreline[:, 3]),
    }


def _joined(scores: dict[str, Values]) -> dict[str, Values]:
    """With the pooled clDice in place of its two shares."""
    precision, sensitivity = scores.pop("precision_d"), scores.pop("sensitivity_d")
    both = precision + sensitivity
    cldice = np.divide(2 * precision * sensitivity, both, out=np.zeros_like(both), where=both > 0)
    return dict(sorted((scores | {"cldice_d": cldice}).items()))

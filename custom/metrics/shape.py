"""The scores beside overlap of one class in one slice or volume: its boundary, its centreline, its components."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import generate_binary_structure
from scipy.ndimage import label as find_components

from custom.metrics.centreline import Counts, Mask, centreline_counts, centreline_dice
from custom.metrics.surface import diagonal, hausdorff_95, surface_counts, surface_dice, surface_distances


@dataclass(frozen=True)
class Shape:
    """Shape scores of one class in one slice or volume.

    A class that the label holds and the prediction misses completely, or the other way round, scores worst (0, 0 and the
    diagonal); one that both lack scores best (1, 1 and 0), which is what Metrics Reloaded (Maier-Hein et al., Nature
    Methods 21, 2024) and its reference code give DSC and distance there, and what convention a does for overlap.

    Attributes:
        present: whether the label holds the class.
        missed: whether it does and the prediction does not.
        surface_dice: share of both boundaries within the tolerance of the other, in [0, 1].
        hd95: 95th percentile of the distance between the boundaries, in the unit of the spacing.
            Both are None where the label holds the class but nothing of its boundary, since all around it is unlabelled.
        boundary: boundary voxels within the tolerance, and all.
        cldice: centreline Dice in [0, 1].
        centreline: from :func:`~custom.metrics.centreline.centreline_counts`.
        components_true, components_predicted: connected components; voxels that share a corner are connected.
    """

    present: bool
    missed: bool
    surface_dice: float | None
    hd95: float | None
    boundary: tuple[int, int]
    cldice: float
    centreline: Counts
    components_true: int
    components_predicted: int

    @property
    def component_error(self) -> int:
        """How many components too many or too few were predicted."""
        return abs(self.components_predicted - self.components_true)


def shape_scores(
    pred: Mask,
    label: Mask,
    labelled: Mask | None = None,
    tolerance: float = 1.0,
    spacing: Sequence[float] | None = None,
) -> Shape:
    """Score one class; of several, each with its own masks.

    Args:
        pred, label: masks of the class, (Y, X) or (Z, Y, X).
        labelled: same shape, False where the label is 255; None: all True. Such voxels count nowhere, whatever `pred`
            says there, and a boundary beside them is none, see :func:`~custom.metrics.surface.surface_distances`.
        tolerance: distance up to which boundaries agree, at least 0, in the unit of the spacing.
        spacing: voxel size along each axis; None: voxels.

    Raises:
        ValueError: the shapes differ, or a voxel size is missing or not above 0.
    """
    distances = surface_distances(pred, label, labelled, spacing)
    if labelled is not None:
        pred, label = pred & labelled, label & labelled
    centreline = centreline_counts(pred, label)
    present, missed = bool(label.any()), bool(label.any() and not pred.any())
    judged = missed or not present or len(distances[1]) > 0
    worst = diagonal(pred.shape, spacing)
    return Shape(
        present=present,
        missed=missed,
        # missed within unlabelled surroundings: neither side has a boundary
        surface_dice=(0.0 if missed else surface_dice(distances, tolerance)) if judged else None,
        hd95=(worst if missed else hausdorff_95(distances, worst)) if judged else None,
        boundary=surface_counts(distances, tolerance) if judged else (0, 0),
        cldice=centreline_dice(centreline),
        centreline=centreline,
        components_true=_components(label),
        components_predicted=_components(pred),
    )


def _components(mask: Mask) -> int:
    return int(find_components(mask, generate_binary_structure(mask.ndim, mask.ndim), output=np.int32)[1])

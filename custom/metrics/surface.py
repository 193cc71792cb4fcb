"""How far the boundary of a prediction lies from the label's: distances, surface Dice, the 95th percentile."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from monai.metrics.utils import get_mask_edges
from numpy.typing import NDArray
from scipy.spatial import KDTree

Mask = NDArray[np.bool_]
Distances = NDArray[np.float64]


def surface_distances(
    pred: Mask, label: Mask, labelled: Mask | None = None, spacing: Sequence[float] | None = None
) -> tuple[Distances, Distances]:
    """From every boundary voxel of the prediction to the nearest one of the label, and from the label's back.

    A boundary voxel belongs to the mask and has a face neighbour that does not; what lies outside the array does not. An
    unlabelled voxel is no boundary voxel and makes none of its neighbours one: nobody knows whether the class ends there.

    The boundary is that of MONAI's `get_mask_edges`. Its `get_surface_distance` is not used: that rounds distances to
    float32, by which 100 voxels are off by up to 4e-6 and a distance that equals the tolerance may exceed it.

    Args:
        pred, label: masks of one class, (Y, X) or (Z, Y, X).
        labelled: same shape, False where the label is 255; None: all True. What `pred` says there makes no difference.
        spacing: voxel size along each axis, which sets the unit; None: voxels.

    Returns:
        one distance per boundary voxel, infinite where the other side has no boundary.

    Raises:
        ValueError: the shapes differ, or a voxel size is missing or not above 0.
    """
    known = _known(pred, label, labelled)
    scale = np.ones(pred.ndim) if spacing is None else np.asarray(spacing, dtype=np.float64)
    if scale.shape != (pred.ndim,) or not (np.isfinite(scale) & (scale > 0)).all():
        raise ValueError(f"spacing must be {pred.ndim} lengths above 0, not {spacing}.")
    # unlabelled voxels join both masks, so that they end none of them
    edges = get_mask_edges(pred | ~known, label | ~known, crop=False)
    found, true = (np.argwhere(np.asarray(edge) & known) * scale for edge in edges)
    return _to_nearest(found, true), _to_nearest(true, found)


def surface_counts(distances: tuple[Distances, Distances], tolerance: float) -> tuple[int, int]:
    """How many boundary voxels of both sides lie within `tolerance` (their distances' unit) of the other's, and how many
    there are; their ratio is the surface Dice."""
    both = np.concatenate(distances)
    # three voxels of 0.1 are 0.30000000000000004
    return int((both <= tolerance * (1 + 1e-9)).sum()), len(both)


def surface_dice(distances: tuple[Distances, Distances], tolerance: float) -> float:
    """Normalised surface distance in [0, 1]: 1 where neither side has a boundary, 0 where one alone has.

    Source: Nikolov et al., J. Med. Internet Res. 23(7), 2021, with the boundary measured in voxels as MONAI does.
    """
    within, boundary = surface_counts(distances, tolerance)
    return within / boundary if boundary else 1.0


def hausdorff_95(distances: tuple[Distances, Distances], worst: float) -> float:
    """The larger of the 95th percentiles of either side: 0 where neither side has a boundary, `worst` where one alone has."""
    found, true = distances
    if not len(found) and not len(true):
        return 0.0
    if not len(found) or not len(true):
        return worst
    return float(max(np.percentile(found, 95), np.percentile(true, 95)))


def diagonal(shape: Sequence[int], spacing: Sequence[float] | None = None) -> float:
    """Length of the diagonal of a slice or volume in the unit of `spacing` (voxels): no distance within exceeds it."""
    return float(np.linalg.norm(np.asarray(shape) * np.asarray(1.0 if spacing is None else spacing)))


def _known(pred: Mask, label: Mask, labelled: Mask | None) -> Mask:
    known = np.ones(pred.shape, dtype=bool) if labelled is None else labelled
    if pred.shape != label.shape or pred.shape != known.shape:
        raise ValueError(
            f"Prediction, label and what is labelled must share one shape, but they are {pred.shape}, {label.shape} "
            f"and {known.shape}."
        )
    return known


def _to_nearest(points: Distances, others: Distances) -> Distances:
    if not len(points) or not len(others):
        return np.full(len(points), np.inf)
    found: Distances = KDTree(others).query(points)[0]
    return found

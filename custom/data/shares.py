"""How often a patch is centred on each class, so that each gets its share of a training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from monai.transforms import Compose, RandCropByLabelClassesd

_MOST = 50.0  # times as likely as another class, so that a slice with a rare class shows the others too
_ROUNDS = 100


def share_centres(transform: Compose, data: Sequence[Mapping[str, Any]], classes: int) -> None:
    """Let the crop of a chain, in place, centre patches on each of several classes as often as `centre_shares` says."""
    for crop in transform.transforms:
        if isinstance(crop, RandCropByLabelClassesd):
            background, *others = crop.cropper.ratios or [1.0] * (1 + classes)
            crop.cropper.ratios = centre_shares(data, classes, background / (background + sum(others)))


def slices_by_class(data: Sequence[Mapping[str, Any]]) -> list[np.ndarray]:
    """For each class that some slice holds the numbers of the slices that do; of one that nothing is said of, all."""
    held = np.array([item.get("classes") or (item.get("lithium", 1),) for item in data], dtype=bool)
    return [np.flatnonzero(of_class) for of_class in held.T if of_class.any()]


def centre_shares(data: Sequence[Mapping[str, Any]], classes: int, background: float = 0.25) -> list[float]:
    """For background and each class how likely it is that a patch is centred on it in a slice that holds all of them.

    A slice gives its patches to what it holds, in these ratios. They are found by iterative proportional fitting, for
    slices as `PatchDataset` draws them: half from all of them, half from those of each class in turn.

    Args:
        data: items of slices with ``classes``, voxels of each; one of which that is not known may hold all.
        classes: how many there are.
        background: its share of all patches; the classes have equal parts of the others.

    Returns:
        1 + `classes` numbers that add up to 1; 0 for a class that no slice holds.
    """
    held = np.ones((len(data), 1 + classes), bool)
    held[:, 1:] = [item.get("classes") or [1] * classes for item in data]
    drawn = np.full(len(data), 0.5 / len(data))
    parts = slices_by_class(data)
    for part in parts:
        drawn[part] += 0.5 / len(parts) / len(part)
    there: np.ndarray = held.sum(axis=0) > 0
    wanted = np.array([background, *[(1 - background) / max(there[1:].sum(), 1)] * classes]) * there
    ratios = wanted / wanted.sum()
    for _ in range(_ROUNDS):
        in_slice = held * ratios
        share = drawn @ (in_slice / in_slice.sum(axis=1, keepdims=True))
        ratios = np.where(there, ratios * wanted / np.where(there, share, 1), 0)
        ratios = np.minimum(ratios, _MOST * ratios[there].min())
        ratios /= ratios.sum()
    return [float(ratio) for ratio in ratios]

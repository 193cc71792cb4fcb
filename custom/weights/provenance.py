"""How weights come about: what a training notes beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from custom.data import Reading, common_folder, noted_earlier, noted_split, stems, voxel_sizes
from custom.weights.tensors import WeightsPath, origin
from custom.weights.trained import Record

Items = Sequence[dict[str, Any]]


def training_record(
    network: torch.nn.Module,
    train: Items,
    val: Items,
    reading: Reading,
    records: Sequence[Record],
    weights: WeightsPath | Sequence[WeightsPath] | None,
    grey_window: Mapping[str, Any],
    **settings: Any,
) -> dict[str, Any]:
    """Network, data and split, and recipe of a training, as JSON and a checkpoint take them.

    Args:
        network: what is trained.
        train, val: the items of both sides, or image/label path dicts.
        reading: how their files are read; knows the classes.
        records: of the trainings that this one begins with, or goes on from.
        weights: what it begins with, if anything.
        grey_window: its settings.
        settings: numbers and names of the recipe.
    """
    began_with = origin(weights)
    return {
        "network": type(network).__name__,
        "parameters": sum(p.numel() for p in network.parameters()),
        "dataset_dir": common_folder(train),
        "train": stems(train),
        "val": stems(val),
        "split": noted_split(train, val),
        "earlier": noted_earlier(train, records),
        "reading": reading.given(),
        "classes": list(reading.classes),
        "grey_window": grey_window,
        **settings,
        "started_from": weights,
        **({} if began_with is None else {"started_from_sha256": began_with}),
        "voxel_size_um": voxel_sizes([*train, *val]),
    }

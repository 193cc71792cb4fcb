"""What every method is given: the slices of the split, a time, a seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from custom.base.files import complete_file
from custom.data import Reading
from custom.data.split import split_dataset
from custom.study.slices import LabelledSlice

UNLABELLED = 255


@dataclass(frozen=True)
class Task:
    """A training and a test.

    Attributes:
        dataset_dir: the labelled data set.
        sides: the slices by ``train``, ``val`` and ``test``; grey values in [0, 1] through the data set's grey window.
        seconds: of training, validation and whatever else a method does until its weights are final.
        seed: of the split and the training.
        device: to train and predict on.
        reading: how the files of the data set are read.
        patches_per_epoch: of this project's networks, which train for whole epochs.
    """

    dataset_dir: Path
    sides: dict[str, list[LabelledSlice]]
    seconds: float
    seed: int
    device: torch.device
    reading: Reading = Reading()
    patches_per_epoch: int = 640


# trains, leaves the probabilities of the test slices in a folder, and tells what there is to know of the training
Method = Callable[[Task, Path], dict[str, Any]]


def make_task(
    dataset_dir: Path, minutes: float, seed: int, device: torch.device, reading: Reading, patches_per_epoch: int
) -> Task:
    """The task that a data set gives."""
    split = split_dataset(dataset_dir, seed, reading=reading)
    sides = {side: [LabelledSlice(item) for item in items] for side, items in split.items()}
    return Task(dataset_dir, sides, 60 * minutes, seed, device, reading, patches_per_epoch)


def keep_probability(folder: Path, piece: LabelledSlice, probability: NDArray[np.floating[Any]]) -> None:
    """Write (Y, X) in [0, 1] where `LabelledSlice.probability` finds it."""
    stem, z = piece.place
    with complete_file(folder / "probability" / f"{stem}_z{z:04d}.npy") as part, open(part, "wb") as file:
        np.save(file, probability.astype(np.float32))

"""What every method is given: the slices of the split, a budget, a seed."""

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
class Budget:
    """How long a method trains: for a time, or for a number of epochs; the other one is None.

    Attributes:
        seconds: of training, validation and whatever else a method does until its weights are final.
        epochs: of `patches_per_epoch` patches each.
        patches_per_epoch: of this project's networks, which train for whole epochs.
    """

    seconds: float | None = None
    epochs: int | None = None
    patches_per_epoch: int = 640

    def used(self, seconds: float, patches: int) -> float:
        """The share that is used up after some time and patches; from 1 on a training is over."""
        if self.epochs is None:
            assert self.seconds is not None
            return seconds / self.seconds
        return patches / (self.epochs * self.patches_per_epoch)


@dataclass(frozen=True)
class Task:
    """A training and a test.

    Attributes:
        dataset_dir: the labelled data set.
        sides: the slices by ``train``, ``val`` and ``test``; grey values in [0, 1] through the data set's grey window.
        budget: of the training.
        seed: of the split and the training.
        device: to train and predict on.
        reading: how the files of the data set are read.
    """

    dataset_dir: Path
    sides: dict[str, list[LabelledSlice]]
    budget: Budget
    seed: int
    device: torch.device
    reading: Reading = Reading()

    def circumstances(self) -> dict[str, Any]:
        """What a result depends on beside the data, the method and the seed."""
        return {
            **self.reading.given(),
            "seconds": self.budget.seconds,
            "epochs": self.budget.epochs,
            "patches_per_epoch": self.budget.patches_per_epoch,
            "device": str(self.device),
            "threads": torch.get_num_threads(),
        }


# trains, leaves the probabilities of the test slices in a folder, and tells what there is to know of the training
Method = Callable[[Task, Path], dict[str, Any]]


def make_task(dataset_dir: Path, budget: Budget, seed: int, device: torch.device, reading: Reading) -> Task:
    """The task that a data set gives."""
    split = split_dataset(dataset_dir, seed, reading=reading)
    sides = {side: [LabelledSlice(item) for item in items] for side, items in split.items()}
    return Task(dataset_dir, sides, budget, seed, device, reading)


def keep_probability(folder: Path, piece: LabelledSlice, probability: NDArray[np.floating[Any]]) -> None:
    """Write (Y, X) in [0, 1] where `LabelledSlice.probability` finds it."""
    stem, z = piece.place
    with complete_file(folder / "probability" / f"{stem}_z{z:04d}.npy") as part, open(part, "wb") as file:
        np.save(file, probability.astype(np.float32))

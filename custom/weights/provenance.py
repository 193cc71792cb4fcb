"""How weights come about: what a training notes beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import ignite.distributed as idist
from monai.engines import SupervisedEvaluator, SupervisedTrainer

from custom.data import Reading, common_folder, noted_earlier, noted_scans, noted_split, stems, voxel_sizes
from custom.guard import reference_of
from custom.weights.tensors import origin
from custom.weights.trained import Trained


@dataclass(frozen=True)
class TrainingRecord:
    """What is noted of a training: network, data and split, recipe.

    Attributes:
        trained: what it begins with, or goes on from.
        reading: how the files of the data set are read; knows the classes.
        scaling: the settings of the grey window.
    """

    trained: Trained
    reading: Reading
    scaling: Mapping[str, Any]

    def of(
        self, trainer: SupervisedTrainer, evaluator: SupervisedEvaluator, patch_size: int, learning_rate: float
    ) -> dict[str, Any]:
        """The record, as JSON and a checkpoint take it.

        Args:
            trainer: has the network, the loss, and the patches with the slices that they are drawn from.
            evaluator: has the slices to validate on.
            patch_size: side of the patches.
            learning_rate: the highest one.
        """
        network = getattr(trainer.network, "module", trainer.network)
        patches: Any = trainer.data_loader
        slices: Any = evaluator.data_loader
        train, val = patches.dataset.given, slices.dataset.given
        weights = self.trained.weights
        began_with = origin(weights)
        return {
            "network": type(network).__name__,
            "parameters": sum(p.numel() for p in network.parameters()),
            "dataset_dir": common_folder(train),
            "train": stems(train),
            "val": stems(val),
            "split": noted_split(train, val),
            "earlier": noted_earlier(train, self.trained.records),
            **noted_scans(train),
            "reading": self.reading.given(),
            "classes": list(self.reading.classes),
            "grey_window": self.scaling,
            "patch_size": patch_size,
            "loss": getattr(trainer.loss_function, "name", type(trainer.loss_function).__name__),
            "learning_rate": learning_rate,
            "batch_size": patches.batch_size * idist.get_world_size(),
            "patches_per_epoch": len(patches.dataset),
            "seed": patches.dataset.seed,
            "started_from": weights,
            **({"unlabelled": patches.dataset.unlabelled} if hasattr(patches.dataset, "unlabelled") else {}),
            **({} if began_with is None else {"started_from_sha256": began_with}),
            "voxel_size_um": voxel_sizes([*train, *val]),
            "guard": reference_of(patches.dataset.slices.data, len(self.reading.classes)),
        }

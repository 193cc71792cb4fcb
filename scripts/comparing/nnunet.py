"""nnU-Net v2, its 2-D configuration as it plans it, for a given budget."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
import torch
from monai.utils import set_determinism

from comparing.task import UNLABELLED, Budget, Task, keep_probability
from custom.study.slices import LabelledSlice

NAME = "Dataset001_lithium"
ITERATIONS, VALIDATIONS = 25, 2  # of an epoch, nnU-Net's 250 and 50
# Of a training without a GPU. The plan for 1024 x 996 slices has patches of whole slices: 25 steps take over 140 s on two cores.
PATCH, BATCH = 128, 12
CHANGED = (
    f"epochs of {ITERATIONS} steps and {VALIDATIONS} validation steps in place of 250 and 50, and as many of them as fit into "
    "the time, to which the polynomial learning rate is fitted; one fold, the split's; grey values through the data set's "
    "window beforehand"
)
CHANGED_ON_CPU = (
    f"{CHANGED}; planned for patches of at most {PATCH} and batches of at most {BATCH}, as there was no GPU"
)


def nnunet(task: Task, folder: Path) -> dict[str, Any]:
    """Plan, preprocess, train for the task's budget, predict with mirroring; planning is not counted as training."""
    work = folder / "nnunet"
    shutil.rmtree(work, ignore_errors=True)
    for name in ("raw", "preprocessed", "results"):
        (work / name).mkdir(parents=True)
        os.environ[f"nnUNet_{name}"] = str(work / name)
    _write_raw(task, work / "raw" / NAME)

    from nnunetv2.experiment_planning.plan_and_preprocess_api import extract_fingerprints, preprocess
    from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer

    on_cpu = task.device.type == "cpu"
    extract_fingerprints([1], num_processes=2)
    _plan(small=on_cpu)
    preprocess([1], configurations=("2d",), num_processes=(2,))
    prepared = work / "preprocessed" / NAME
    split = [{side: [case(piece) for piece in task.sides[side]] for side in ("train", "val")}]
    (prepared / "splits_final.json").write_text(json.dumps(split), encoding="utf-8")

    set_determinism(task.seed)
    planned = json.loads((prepared / "nnUNetPlans.json").read_text(encoding="utf-8"))
    about = json.loads((prepared / "dataset.json").read_text(encoding="utf-8"))
    # which it takes out of the plans, as its own command puts it there
    trainer = nnUNetTrainer({**planned, "continue_training": False}, "2d", 0, about, task.device)
    trainer.num_iterations_per_epoch, trainer.num_val_iterations_per_epoch = ITERATIONS, VALIDATIONS
    started = time.time()
    epochs = _train(trainer, task.budget, planned["configurations"]["2d"]["batch_size"])
    minutes = (time.time() - started) / 60
    _predict(trainer, task, folder)
    chosen = planned["configurations"]["2d"]
    return {
        "steps": epochs * ITERATIONS,
        "patches": epochs * ITERATIONS * chosen["batch_size"],
        "minutes": minutes,
        "parameters": sum(p.numel() for p in trainer.network.parameters()),
        "patch_size": chosen["patch_size"],
        "batch_size": chosen["batch_size"],
        "changed": CHANGED_ON_CPU if on_cpu else CHANGED,
    }


def case(piece: LabelledSlice) -> str:
    """A slice's name in nnU-Net's folders."""
    stem, z = piece.place
    return f"{stem}_z{z:04d}"


def _write_raw(task: Task, folder: Path) -> None:
    pieces = [*task.sides["train"], *task.sides["val"]]
    unlabelled = any((piece.label == UNLABELLED).any() for piece in pieces)
    for name in ("imagesTr", "labelsTr"):
        (folder / name).mkdir(parents=True)
    for piece in pieces:
        label = piece.label.copy()
        label[label == UNLABELLED] = 2
        tifffile.imwrite(folder / "imagesTr" / f"{case(piece)}_0000.tif", piece.image)
        tifffile.imwrite(folder / "labelsTr" / f"{case(piece)}.tif", label)
    labels = {"background": 0, "lithium": 1} | ({"ignore": 2} if unlabelled else {})
    content = {
        "channel_names": {"0": "grey"},
        "labels": labels,
        "numTraining": len(pieces),
        "file_ending": ".tif",
        "overwrite_image_reader_writer": "NaturalImage2DIO",
    }
    (folder / "dataset.json").write_text(json.dumps(content), encoding="utf-8")


def _plan(small: bool) -> None:
    """Write nnUNetPlans.json by nnU-Net's planner, which derives the network from the size of the patches."""
    from nnunetv2.experiment_planning.experiment_planners.default_experiment_planner import ExperimentPlanner

    class SmallPatches(ExperimentPlanner):
        def get_plans_for_configuration(self, spacing: Any, median_shape: Any, *others: Any) -> dict[str, Any]:
            # the planner takes no patch larger than the median slice
            plan: dict[str, Any] = super().get_plans_for_configuration(
                spacing, np.minimum(median_shape, PATCH), *others
            )
            return plan | {"batch_size": min(plan["batch_size"], BATCH)}

    (SmallPatches if small else ExperimentPlanner)(1).plan_experiment()


def _train(trainer: Any, budget: Budget, batch_size: int) -> int:
    """The trainer's own loop, whose number of epochs follows from the share of the budget that an epoch takes."""
    trainer.on_train_start()
    started, epochs = time.time(), 0
    while epochs < trainer.num_epochs:
        trainer.on_epoch_start()
        trainer.on_train_epoch_start()
        trainer.on_train_epoch_end([trainer.train_step(next(trainer.dataloader_train)) for _ in range(ITERATIONS)])
        trainer.on_validation_epoch_start()
        with torch.no_grad():
            with_val = [trainer.validation_step(next(trainer.dataloader_val)) for _ in range(VALIDATIONS)]
        trainer.on_validation_epoch_end(with_val)
        trainer.on_epoch_end()
        epochs += 1
        used = budget.used(time.time() - started, epochs * ITERATIONS * batch_size)
        trainer.num_epochs = max(epochs, round(epochs / used))
        trainer.lr_scheduler.max_steps = trainer.num_epochs
    trainer.on_train_end()
    return epochs


def _predict(trainer: Any, task: Task, folder: Path) -> None:
    from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor

    trainer.set_deep_supervision_enabled(False)
    trainer.network.eval()
    predictor = nnUNetPredictor(use_mirroring=True, device=task.device, perform_everything_on_device=False)
    predictor.manual_initialization(
        trainer.network,
        trainer.plans_manager,
        trainer.configuration_manager,
        [trainer.network.state_dict()],
        trainer.dataset_json,
        trainer.__class__.__name__,
        trainer.inference_allowed_mirroring_axes,
    )
    for piece in task.sides["test"]:
        spacing = {"spacing": (999, 1, 1)}  # as nnU-Net's own reader of 2-D images has it
        _, probability = predictor.predict_single_npy_array(
            piece.image[None, None], spacing, None, None, save_or_return_probabilities=True
        )
        keep_probability(folder, piece, np.asarray(probability)[1, 0])

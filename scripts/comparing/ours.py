"""This project's networks, by the bundle's own commands and default recipe."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from comparing.task import Task
from custom.study.dataset_keys import words_of
from custom.study.plan import CONFIGS
from custom.study.reading import read_curves, read_json
from custom.study.running import Bundle

ROOT = Path(__file__).resolve().parents[2]
MANY_EPOCHS = 1_000_000  # the time alone ends a training


def bundle_network(overlay: str | None) -> Callable[[Task, Path], dict[str, Any]]:
    """Train with train.json and the network's overlay, score with evaluate.json."""

    def method(task: Task, folder: Path) -> dict[str, Any]:
        overlays = [overlay] if overlay else []
        keys = [word for key, value in words_of(task.reading).items() for word in (f"--{key}", value)]
        given = ("--dataset_dir", str(task.dataset_dir), "--seed", str(task.seed), "--device", str(task.device), *keys)
        out, scored = ("--output_dir", str(folder / "training")), ("--output_dir", str(folder))
        time = ("--max_minutes", f"{task.seconds / 60:g}", "--max_epochs", str(MANY_EPOCHS))
        epoch = ("--patches_per_epoch", str(task.patches_per_epoch))
        execute = Bundle(ROOT)
        execute(
            ("run", "training", *files("train", *overlays), *given, *out, *time, *epoch, "--overwrite", "true"),
            folder / "training.log",
        )
        weights = ("--weights", str(folder / "training/model.pt"))
        execute(
            (
                "run",
                *files("train", *overlays, "evaluate", "study_evaluate"),
                *given,
                *scored,
                *weights,
                "--overwrite",
                "true",
            ),
            folder / "evaluation.log",
        )
        curves, about = read_curves(folder / "training/metrics.csv"), read_json(folder / "training/model.json")
        epochs = len(curves["epoch"])
        return {
            "steps": epochs * about["patches_per_epoch"] // about["batch_size"],
            "patches": epochs * about["patches_per_epoch"],
            "minutes": curves["minutes"][-1],
            "parameters": about["parameters"],
            "val_mdsc_a": about["validation"]["val_mdsc"],
            "changed": "nothing",
        }

    return method


def files(*names: str) -> tuple[str, str]:
    """--config_file with several of the bundle's configs."""
    return "--config_file", "[" + ",".join(f"'{CONFIGS / name}.json'" for name in names) + "]"

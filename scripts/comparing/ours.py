"""This project's recipes, by the bundle's own commands."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from comparing.task import Budget, Method, Task
from custom.study.commands import MANY_EPOCHS
from custom.study.dataset_keys import words_of
from custom.study.plan import CONFIGS
from custom.study.reading import read_curves, read_json
from custom.study.running import Bundle

ROOT = Path(__file__).resolve().parents[2]


def bundle_recipe(configs: Sequence[str | Path]) -> Method:
    """Train with config files as `--config_file` stacks them, train.json first; score with evaluate.json.

    A training that was cut off in the same folder goes on. Where the config files take unlabelled stacks they get those of the case,
    see `write_case`.
    """
    learns_unlabelled = any("unlabelled" in read_json(ROOT / path) for path in configs)

    def method(task: Task, folder: Path) -> dict[str, Any]:
        keys = [word for key, value in words_of(task.reading).items() for word in (f"--{key}", value)]
        given = ("--dataset_dir", str(task.dataset_dir), "--seed", str(task.seed), "--device", str(task.device), *keys)
        out, scored = ("--output_dir", str(folder / "training")), ("--output_dir", str(folder))
        rest = _unlabelled(task.dataset_dir) if learns_unlabelled else ()
        execute = Bundle(ROOT)
        execute(
            ("run", "training", *stacked(configs), *given, *rest, *out, *limits(task.budget), "--resume", "true"),
            folder / "training.log",
        )
        weights = ("--weights", str(folder / "training/model.pt"), "--overwrite", "true")
        judged = stacked([*configs, config("evaluate"), config("study_evaluate")])
        execute(("run", *judged, *given, *scored, *weights), folder / "evaluation.log")
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


def _unlabelled(dataset_dir: Path) -> tuple[str, ...]:
    stacks = sorted((dataset_dir / "unlabelled").iterdir()) if (dataset_dir / "unlabelled").is_dir() else []
    return ("--unlabelled", str([str(path) for path in stacks])) if stacks else ()


def limits(budget: Budget) -> tuple[str, ...]:
    """The keys that end a training; 0 minutes are no limit."""
    minutes = 0.0 if budget.seconds is None else budget.seconds / 60
    epochs = MANY_EPOCHS if budget.epochs is None else budget.epochs
    length = ("--patches_per_epoch", str(budget.patches_per_epoch))
    return ("--max_minutes", f"{minutes:g}", "--max_epochs", str(epochs), *length)


def config(name: str) -> str:
    """The path of one of the bundle's configs, from the project's root."""
    return str(CONFIGS / f"{name}.json")


def stacked(paths: Sequence[str | Path]) -> tuple[str, str]:
    """--config_file with several files."""
    return "--config_file", "[" + ",".join(f"'{path}'" for path in paths) + "]"

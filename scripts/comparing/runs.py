"""The runs of an accuracy bench: a line each in runs.jsonl, and what is missing is run."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from comparing.cases import Case
from comparing.derived import reading_of_case, write_case
from comparing.once import run_once
from comparing.recipes import Recipe
from comparing.scoring import judged
from comparing.task import Budget, Task, make_task
from custom.base.errors import BadInput
from custom.base.files import complete_file
from custom.data import Reading
from custom.report import plain

logger = logging.getLogger("accuracy")

Row = dict[str, Any]
KEY = ("set", "test", "labels", "seed", "recipe")  # by which a run is called
KEPT = (*(f"{kind}_{convention}" for kind in ("dsc", "iou") for convention in "abcd"), "calibration_error")
SHAPE = ("surface_dice_a", "surface_dice_b", "surface_dice_d", "hd95_a", "hd95_b", "cldice_b", "component_error_b")


class Runs:
    """The lines of runs.jsonl.

    Args:
        path: of the file, which need not be there yet.

    Raises:
        BadInput: a line that is none of a run.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: list[Row] = []
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines() if path.is_file() else []):
            try:
                row = json.loads(line)
                self.rows.append(row | {"seed": row["seed"]})
            except (ValueError, KeyError, TypeError) as error:
                raise BadInput(f"{path}: line {number + 1} is none of a run; take it out") from error

    def finished(self, row: Row) -> Row | None:
        """The run that has ended with these very words, maybe under another key: all labels may be as many as five."""
        ended = [old for old in self.rows if old["asked"] == row["asked"] and not old.get("failed")]
        return max(ended, key=lambda old: key_of(old) == key_of(row), default=None)

    def add(self, row: Row) -> None:
        """Add a run in place of an earlier one of the same key."""
        places = [place for place, old in enumerate(self.rows) if key_of(old) == key_of(row)]
        if places:
            self.rows[places[0]] = row
        else:
            self.rows.append(row)
        with complete_file(self.path) as part:
            part.write_text("".join(f"{json.dumps(plain(one))}\n" for one in self.rows), encoding="utf-8")


def key_of(row: Row) -> tuple[Any, ...]:
    """Set, test, labels, seed, recipe."""
    return tuple(row[name] for name in KEY)


class Bench:
    """Runs recipes on cases.

    Args:
        folder: gets everything.
        runs: what is there already.
        budget, device: of each training.
        sets: of each data set by name how it is read, and a digest of its files.

    Raises:
        BadInput: the runs that are there had another budget, other threads or another device.
    """

    def __init__(
        self,
        folder: Path,
        runs: Runs,
        budget: Budget,
        device: torch.device,
        sets: dict[str, tuple[Reading, str]],
    ) -> None:
        self.folder, self.runs, self.budget, self.device, self.sets = folder, runs, budget, device, sets
        self.given = Task(folder, {}, budget, 0, device).circumstances()
        for row in runs.rows:
            if row["given"] != plain(self.given):
                words = ", ".join(f"{name} {row['given'].get(name)}" for name in self.given)
                raise BadInput(f"{runs.path}: its runs were made with {words}; give the same, or another --output_dir")

    def run(self, cases: Sequence[Case], recipes: Sequence[Recipe]) -> None:
        """Run what is missing; a run that fails is noted as failed, tried again by the next call, and stops no other."""
        every = [(case, recipe) for case in cases for recipe in recipes]
        for number, (case, recipe) in enumerate(every, 1):
            row = self._row(case, recipe)
            words = f"{recipe.name}: {case.dataset}, {case.test}, labels {case.labels}, seed {case.seed}"
            if done := self.runs.finished(row):
                if key_of(done) != key_of(row):
                    self.runs.add({**done, **row})
                continue
            logger.info("%d of %d: %s", number, len(every), words)
            try:
                row |= self._done(case, recipe)
            except BadInput as error:
                logger.warning("%s failed: %s", words, error)
                row["failed"] = str(error)
            self.runs.add(row)

    def _row(self, case: Case, recipe: Recipe) -> Row:
        names = (case.dataset, case.test, case.labels, case.seed, recipe.name)
        text = json.dumps(plain(self._asked(case, recipe)), sort_keys=True)
        asked = hashlib.sha256(text.encode()).hexdigest()
        slices = {side: len(items) for side, items in case.sides.items()}
        return {**dict(zip(KEY, names, strict=True)), "slices": slices, "given": plain(self.given), "asked": asked}

    def _asked(self, case: Case, recipe: Recipe) -> dict[str, Any]:
        """By which a run is known again."""
        return {"data": self._about(case), "recipe": [recipe.name, recipe.files], "seed": case.seed, **self.given}

    def _about(self, case: Case) -> dict[str, Any]:
        reading, digest = self.sets[case.dataset]
        return {"files": digest, "sides": case.places, "others": len(case.others), **reading.given()}

    def _done(self, case: Case, recipe: Recipe) -> dict[str, Any]:
        reading = self.sets[case.dataset][0]
        place = Path(case.dataset, _plain(case.test), case.labels, f"seed_{case.seed}")
        dataset_dir = write_case(case, self.folder / "sets" / place, self._about(case))
        task = make_task(dataset_dir, self.budget, case.seed, self.device, reading_of_case(reading))
        folder = self.folder / recipe.name / place
        ended = (folder / "about.json").is_file()
        if ended and not any((folder / kept).exists() for kept in ("probability", "metrics.json")):
            shutil.rmtree(folder)  # scored before, and its line taken out: nothing is left to score
        told = run_once(recipe.run, task, folder, self._asked(case, recipe))
        scores = scores_of(judged(folder, task.sides["test"]))
        shutil.rmtree(folder / "probability", ignore_errors=True)  # as large as the slices, and scored
        return {"training": told, "scores": scores}


def scores_of(metrics: dict[str, Any]) -> dict[str, float | None]:
    """What is kept of metrics.json; of several classes the volume's error is the mean of their absolute ones."""
    volumes = [
        abs(one["volume_error"]) for one in metrics.get("classes", {}).values() if one["volume_error"] is not None
    ]
    mean = sum(volumes) / len(volumes) if volumes else None
    found = {name: metrics[name] for name in KEPT} | {name: metrics["shape"].get(name) for name in SHAPE}
    return found | {
        "volume_error": metrics.get("lithium_volume_error", mean),
        "truth_in_range": truth_in_range(metrics),
    }


def truth_in_range(metrics: dict[str, Any]) -> float | None:
    """In which share of the scans, of each class, the labelled volume lies in the one stated, at the thresholds 0.7 to 0.3."""
    judged = list(metrics.get("classes", {}).values()) or [metrics]
    told = [scan for one in judged for scan in one.get("scans", {"all": one}).values()]
    held = [bool(value) for scan in told for key, value in scan.items() if key == "true_volume_in_range"]
    return sum(held) / len(held) if held else None


def _plain(name: str) -> str:
    """For the name of a folder that a config may hold."""
    kept = "".join(letter if letter.isalnum() or letter in "._-" else "_" for letter in name)
    return kept if kept == name.replace(" ", "_") else f"{kept}_{hashlib.sha256(name.encode()).hexdigest()[:8]}"

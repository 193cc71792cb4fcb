"""How good recipes are on other scans and with few labels, e.g. `python scripts/benchmark_accuracy.py --datasets set_a set_b --recipes unet mine=my.json --minutes 5 --seeds 0 1 2 --output_dir runs/accuracy`."""

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

if __name__ == "__main__":
    from custom.running.interruption import install

    install()  # before what takes seconds to import

import torch
from comparing.accuracy import described, sections, summary
from comparing.cases import ALL, Case, cases_of
from comparing.methods import METHODS
from comparing.recipes import check_classes, recipes_of
from comparing.runs import Bench, Runs
from comparing.sets import named, readings_of
from comparing.task import Budget

from custom.base.errors import BadInput
from custom.base.readable import readable_streams
from custom.command_line import check_device
from custom.command_line.options import GivenPath
from custom.command_line.placement import check_place
from custom.data import Reading, split_dataset
from custom.report import write_json
from custom.running.interruption import goes_on
from custom.running.taken import take_folder
from custom.study.page import markdown
from custom.study.plan import check_path
from custom.study.running import listing


def arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Score recipes on the worst set and seed, not on one lucky run.")
    parser.add_argument(
        "--datasets", action=GivenPath, nargs="+", help="labelled data sets, folders of different names"
    )
    parser.add_argument(
        "--keys",
        nargs="+",
        default=[],
        metavar="SET=KEYS",
        help="how a set's files are read: \"my_set={'classes': ['pit', 'dendrite']}\"; the keys are those of a training",
    )
    parser.add_argument(
        "--protocols",
        nargs="+",
        default=["split"],
        choices=("split", "scans"),
        help="split: the set's own; scans: each scan is left out once and tested on",
    )
    parser.add_argument(
        "--labels", nargs="+", type=_labels, default=[ALL], help="slices that are trained on: 1 2 5 all"
    )
    parser.add_argument(
        "--recipes",
        nargs="+",
        default=["unet", "monai"],
        metavar="RECIPE",
        help=f"{', '.join(METHODS)}, or NAME=FILE,FILE: config files that are stacked on train.json",
    )
    budget = parser.add_mutually_exclusive_group()
    budget.add_argument("--minutes", type=_positive, help="training time of each run")
    budget.add_argument("--epochs", type=int, help="length of each training, in place of a time")
    parser.add_argument("--patches_per_epoch", type=int, default=640, help="length of an epoch")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--threads", type=int, help="CPU threads; by default as many as torch takes")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument(
        "--output_dir", action=GivenPath, required=True, help="gets everything; what was cut off goes on there"
    )
    parser.add_argument("--table", action="store_true", help="run nothing, print the table of what is there")
    given = parser.parse_args(words)
    if not given.table and not (given.datasets and (given.minutes or given.epochs)):
        parser.error("give --datasets, and --minutes or --epochs; or --table for the table of what is there")
    return given


def _labels(word: str) -> str:
    if word != ALL and not (word.isdecimal() and int(word)):
        raise argparse.ArgumentTypeError(f"{word}: is no number of slices; give 1, 2, ... or all")
    return word


def _positive(word: str) -> float:
    try:
        number = float(word)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{word}: is no number of minutes; give one such as 5 or 0.5")
    return number


def cases_of_all(folders: dict[str, Path], readings: dict[str, Reading], given: argparse.Namespace) -> list[Case]:
    """The cases of all sets, a seed after the other."""
    cases: list[Case] = []
    for seed in given.seeds:
        for name, folder in folders.items():
            split = split_dataset(folder, seed, reading=readings[name])
            cases += cases_of(name, split, given.protocols, given.labels, seed, len(readings[name].classes))
    if not cases:
        raise BadInput("--protocols scans: no set tells of two scans; add split, or give sets of several stacks")
    return cases


def run(given: argparse.Namespace, out: Path) -> None:
    """Run what is missing."""
    recipes, folders = recipes_of(given.recipes), named(given.datasets)
    readings, device = readings_of(list(folders), given.keys), check_device(given.device)
    for name, reading in readings.items():
        check_classes(recipes, name, reading.classes)
    check_path(out)
    for folder in folders.values():
        check_place(out, folder)
    if given.threads:
        os.environ["OMP_NUM_THREADS"] = str(given.threads)  # of the commands
        torch.set_num_threads(given.threads)
    seconds = None if given.minutes is None else 60 * given.minutes
    budget = Budget(seconds, given.epochs, given.patches_per_epoch)
    cases = cases_of_all(folders, readings, given)
    goes_on(lambda: f"what is finished is in {out}")
    take_folder(out)
    sets = {name: (reading, listing(folders[name], reading.label_folder)) for name, reading in readings.items()}
    Bench(out, Runs(out / "runs.jsonl"), budget, device, sets).run(cases, recipes)


def main(words: Sequence[str] | None = None) -> int:
    readable_streams()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    given = arguments(words)
    out = Path(given.output_dir).absolute()
    try:
        if not given.table:
            run(given, out)
        rows = Runs(out / "runs.jsonl").rows
        if not rows:
            raise BadInput(f"{out}: holds no runs yet; give the command without --table")
        found = summary(rows)
        write_json(out / "accuracy.json", found | {"runs": rows})
    except BadInput as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(markdown(f"Accuracy, {described(rows[0]['given'])}", sections(found, rows)))
    return 2 if any(row.get("failed") for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())

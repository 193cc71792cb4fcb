"""This project beside what users would pick instead, e.g. `python scripts/compare_peers.py --dataset_dir my_slices --output_dir runs/peers --budget 20m`."""

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

if __name__ == "__main__":
    from custom.running.interruption import install

    install()  # before what takes seconds to import

import torch
from comparing.methods import METHODS, OURS
from comparing.once import run_once
from comparing.scoring import scored, table
from comparing.task import Budget, Task, make_task

from custom.base.errors import BadInput
from custom.base.readable import readable_streams
from custom.command_line import check_device
from custom.command_line.options import GivenPath
from custom.command_line.placement import check_place
from custom.phantom import ensure_dataset
from custom.report import write_json
from custom.running.interruption import goes_on
from custom.running.taken import take_folder
from custom.study.dataset_keys import add_dataset_keys, reading_of
from custom.study.page import Section, write_markdown
from custom.study.plan import minutes_of
from custom.study.running import listing


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train and score this project's networks and their peers alike.")
    parser.add_argument(
        "--dataset_dir",
        action=GivenPath,
        default="data/phantom",
        help="labelled data set; the phantom is made on first use",
    )
    add_dataset_keys(parser)
    parser.add_argument(
        "--output_dir",
        action=GivenPath,
        required=True,
        help="gets everything; a comparison that was cut off goes on there",
    )
    parser.add_argument("--budget", default="20m", help="training time of each method and seed, e.g. 20m")
    parser.add_argument(
        "--methods", nargs="+", default=list(METHODS), choices=METHODS, metavar="METHOD", help=", ".join(METHODS)
    )
    parser.add_argument(
        "--patches_per_epoch", type=int, default=640, help="length of an epoch of this project's networks"
    )
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    return parser.parse_args()


def run(name: str, task: Task, folder: Path, log: logging.Logger) -> dict[str, Any]:
    """Train and score one method, unless that is done."""
    METHODS[name].check_package(name, "--methods")
    log.info("%s, seed %d", METHODS[name].title, task.seed)
    done = run_once(METHODS[name].run, task, folder, asked(task))
    return {**done, **scored(folder, task.sides["test"], task.reading.classes), "seed": task.seed}


def asked(task: Task) -> dict[str, Any]:
    """By which a finished run is known again."""
    # with other files the sides are others too
    files = listing(task.dataset_dir, task.reading.label_folder)
    return {"dataset_dir": str(task.dataset_dir), "files": files, **task.circumstances()}


def check_classes(classes: Sequence[str], methods: Sequence[str]) -> None:
    """Refuse to compare what looks for one class alone on several.

    Raises:
        BadInput: such a method is asked for.
    """
    others = [name for name in methods if name not in OURS]
    if len(classes) > 1 and others:
        values = ", ".join(f"'{value}': 'lithium'" for value in range(1, 1 + len(classes)))
        raise BadInput(
            f"--classes {list(classes)}: {', '.join(others)} look for one class alone; give --methods {' '.join(OURS)}, or leave "
            f'--classes away and take the classes together, such as --label_map "{{{values}}}"'
        )


def main() -> int:
    readable_streams()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    given = arguments()
    try:
        reading = reading_of(given)
        check_classes(reading.classes, given.methods)
        dataset_dir = Path(
            ensure_dataset(given.dataset_dir) if str(given.dataset_dir) == "data/phantom" else given.dataset_dir
        )
        minutes, device, out = minutes_of(given.budget), check_device(given.device), Path(given.output_dir).absolute()
        budget = Budget(seconds=60 * minutes, patches_per_epoch=given.patches_per_epoch)
        check_place(out, dataset_dir)
        goes_on(lambda: f"what is finished is in {out}")
        take_folder(out)
        rows: dict[str, list[dict[str, Any]]] = {}
        for seed in given.seeds:
            task = make_task(dataset_dir.absolute(), budget, seed, device, reading)
            for name in given.methods:
                found = run(name, task, out / name / f"seed_{seed}", logging.getLogger("peers"))
                rows.setdefault(METHODS[name].title, []).append(found)
        write_json(out / "peers.json", rows)
        changes = [f"{title}: changed against its documentation: {runs[0]['changed']}." for title, runs in rows.items()]
        sections = [Section("Scores on the test side", [table(rows), *changes])]
        write_markdown(out / "peers.md", f"{dataset_dir.name}, {minutes:g} minutes of training each", sections)
    except BadInput as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print((out / "peers.md").read_text(encoding="utf-8"))
    return 0


if __name__ == "__main__":
    sys.exit(main())

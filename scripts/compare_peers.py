"""This project beside what users would pick instead, e.g. `python scripts/compare_peers.py --dataset_dir my_slices --output_dir runs/peers --budget 20m`."""

import argparse
import importlib.util
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
from comparing import classical
from comparing.nnunet import nnunet
from comparing.ours import bundle_network
from comparing.patch_recipes import monai_unet, smp_unet
from comparing.scoring import scored, table
from comparing.task import Method, Task, make_task

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
from custom.study.reading import read_json
from custom.study.running import listing

# title, package that has to be there, how it trains and predicts
METHODS: dict[str, tuple[str, str | None, Method]] = {
    "unet": ("ours: U-Net", None, bundle_network("network_unet")),
    "ynet": ("ours: Y-Net", None, bundle_network("network_ynet")),
    "transforcnn": ("ours: TransforCNN", None, bundle_network(None)),
    "monai": ("MONAI BasicUNet, Dice + cross-entropy", None, lambda task, folder: monai_unet()(task, folder)),
    "smp": (
        "segmentation_models.pytorch U-Net, resnet18",
        "segmentation_models_pytorch",
        lambda task, folder: smp_unet()(task, folder),
    ),
    "nnunet": ("nnU-Net v2, 2-D", "nnunetv2", nnunet),
    "grey_window": ("median filter + best grey window", None, classical.grey_window),
    "otsu": ("median filter + Otsu", "skimage", classical.otsu),
}
OURS = ("unet", "ynet", "transforcnn")  # which alone tell several classes apart


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
    title, package, method = METHODS[name]
    if package and importlib.util.find_spec(package) is None:
        raise BadInput(f"{package}: is not installed; run pip install '.[peers]', or leave {name} out of --methods")
    about = folder / "about.json"
    done = read_json(about) if about.is_file() else None
    if done is None or done["task"] != asked(task):
        log.info("%s, seed %d", title, task.seed)
        done = {**method(task, folder), "task": asked(task)}
        write_json(about, done)
    return {**done, **scored(folder, task.sides["test"], task.reading.classes), "seed": task.seed}


def asked(task: Task) -> dict[str, Any]:
    """By which a finished run is known again."""
    return {
        "dataset_dir": str(task.dataset_dir),
        "files": listing(task.dataset_dir, task.reading.label_folder),  # with others the sides are others too
        **task.reading.given(),
        "seconds": task.seconds,
        "patches_per_epoch": task.patches_per_epoch,
        "device": str(task.device),
        "threads": torch.get_num_threads(),
    }


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
        check_place(out, dataset_dir)
        goes_on(lambda: f"what is finished is in {out}")
        take_folder(out)
        rows: dict[str, list[dict[str, Any]]] = {}
        for seed in given.seeds:
            task = make_task(dataset_dir.absolute(), minutes, seed, device, reading, given.patches_per_epoch)
            for name in given.methods:
                found = run(name, task, out / name / f"seed_{seed}", logging.getLogger("peers"))
                rows.setdefault(METHODS[name][0], []).append(found)
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

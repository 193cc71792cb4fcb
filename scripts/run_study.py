"""The study in one command, e.g. `python scripts/run_study.py --dataset_dir my_slices --output_dir runs/study --budget 20m`."""

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

if __name__ == "__main__":
    from custom.running.interruption import install

    install()  # before what takes seconds to import

from custom.base.errors import BadInput
from custom.base.readable import readable_streams
from custom.command_line.options import GivenPath
from custom.study.dataset_keys import add_dataset_keys, reading_of
from custom.study.plan import Study, minutes_of
from custom.study.running import Bundle, Execute
from custom.study.study import run_study, with_phantom

ROOT = Path(__file__).resolve().parents[1]


def arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Train, blend, score, time, segment and draw all networks of the study."
    )
    parser.add_argument(
        "--dataset_dir",
        action=GivenPath,
        default="data/phantom",
        help="labelled data set; the phantom is made on first use",
    )
    add_dataset_keys(parser)
    parser.add_argument(
        "--output_dir", action=GivenPath, required=True, help="gets everything; a study that was cut off goes on there"
    )
    parser.add_argument("--stack", action=GivenPath, help="what is segmented; by default the stack of the test side")
    parser.add_argument("--budget", help="training time of each network, e.g. 20m; by default the study's full recipe")
    parser.add_argument("--patches_per_epoch", type=int, default=320, help="length of an epoch where a budget is given")
    parser.add_argument("--full_cube", action="store_true", help="E-Net's search tries all 1330 combinations, not 66")
    parser.add_argument(
        "--compare_losses",
        action="store_true",
        help="train U-Net with each of the four losses of the study, and the default one, too",
    )
    parser.add_argument(
        "--device",
        help="cpu, cuda, or several such as cuda:0,cuda:1, which train side by side; by default CUDA where there is one",
    )
    parser.add_argument("--seed", type=int, default=0, help="fixes the split and the trainings")
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None, execute: Execute | None = None) -> int:
    readable_streams()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    given = arguments(words)
    try:
        study = Study(
            dataset_dir=Path(given.dataset_dir).absolute(),
            output_dir=Path(given.output_dir).absolute(),
            stack=Path(given.stack).absolute() if given.stack else None,
            minutes=minutes_of(given.budget),
            patches_per_epoch=given.patches_per_epoch,
            full_cube=given.full_cube,
            compare_losses=given.compare_losses,
            devices=tuple(given.device.split(",")) if given.device else (),
            seed=given.seed,
            reading=reading_of(given),
        )
        run_study(with_phantom(study, Path("data/phantom").absolute()), ROOT, execute or Bundle(ROOT))
    except BadInput as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"In {given.output_dir}: study.html, study.md, study.json, the figures and network_enet.json.")
    return 0


if __name__ == "__main__":
    sys.exit(main())

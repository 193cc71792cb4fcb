"""Make a phantom, e.g. `python scripts/make_phantom.py --output_dir data/phantom_40 --cells 40`."""

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

if __name__ == "__main__":
    from custom.running.interruption import install

    install()  # before what takes seconds to import

from custom.base.errors import BadInput
from custom.base.readable import readable_streams
from custom.command_line.options import GivenPath
from custom.command_line.placement import check_place
from custom.phantom.dataset import DIFFICULTIES, make_dataset
from custom.phantom.raw_dataset import SUFFIXES, make_raw_phantom


def parser_of_this() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description="Make a labelled data set of synthetic Li-polymer-Li cells, or a raw scan of one."
    )
    parser.add_argument(
        "--output_dir",
        action=GivenPath,
        help="folder to make, data/phantom, data/hard or data/raw; it must not hold anything yet",
    )
    parser.add_argument(
        "--seed", type=int, default=0, help="seed of the first cell; the next cells take the next seeds"
    )
    cells = parser.add_argument_group("a labelled data set")
    cells.add_argument(
        "--difficulty",
        choices=DIFFICULTIES,
        default="default",
        help="hard: thin and porous dendrites, pits of their look, artefacts, test cells from another scanner",
    )
    cells.add_argument("--cells", type=int, default=9, help="number of cells; about 70 %% train, 10 %% val, 20 %% test")
    cells.add_argument("--slices", type=int, default=24, help="slices per cell")
    cells.add_argument(
        "--round_field", action="store_true", help="slices as wide as the scanned circle, black outside of it"
    )
    raw = parser.add_argument_group("a raw scan")
    raw.add_argument(
        "--raw",
        action="store_true",
        help="a whole cell in air, tilted and bent, in three fields of view that are to be joined, with the true region",
    )
    raw.add_argument(
        "--size",
        type=int,
        nargs="+",
        default=[256],
        metavar="N",
        help="voxels per side, or along z, y and x; the study's are 3977 2575 2582",
    )
    raw.add_argument("--format", choices=tuple(SUFFIXES), default="tiff", help="of its stacks")
    return parser


def check(given: argparse.Namespace, parser: argparse.ArgumentParser) -> None:
    """Refuse options of the one that are given for the other, which would do nothing."""
    idle = ("difficulty", "cells", "slices", "round_field") if given.raw else ("size", "format")
    for name in idle:
        if getattr(given, name) != parser.get_default(name):
            parser.error(
                f"--{name} is for {'a labelled data set; leave it out' if given.raw else 'raw scans; add --raw'}"
            )
    if len(given.size) not in (1, 3):
        parser.error("--size takes one number, or three: those along z, y and x")


def main() -> int:
    readable_streams()
    parser = parser_of_this()
    given = parser.parse_args()
    check(given, parser)
    usual = "data/raw" if given.raw else "data/hard" if given.difficulty == "hard" else "data/phantom"
    target = given.output_dir or Path(usual)
    start = time.monotonic()
    try:
        check_place(target)
        if given.raw:
            z, y, x = given.size * (3 // len(given.size))
            folder = make_raw_phantom(target, (z, y, x), given.seed, given.format)
            made = f"a raw scan of {z} x {y} x {x} voxels"
        else:
            folder = make_dataset(target, given.cells, given.slices, given.seed, given.round_field, given.difficulty)
            made = f"{given.cells} cells of {given.slices} slices"
    except BadInput as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"{folder}: {made} in {time.monotonic() - start:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())

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


def main() -> int:
    readable_streams()
    parser = argparse.ArgumentParser(description="Make a labelled data set of synthetic Li-polymer-Li cells.")
    parser.add_argument(
        "--output_dir",
        action=GivenPath,
        help="folder to make, data/phantom, data/hard or data/raw; it must not hold anything yet",
    )
    parser.add_argument(
        "--difficulty",
        choices=DIFFICULTIES,
        default="default",
        help="hard: thin and porous dendrites, pits of their look, artefacts, test cells from another scanner",
    )
    parser.add_argument(
        "--cells", type=int, default=9, help="number of cells; about 70 %% train, 10 %% val, 20 %% test"
    )
    parser.add_argument("--slices", type=int, default=24, help="slices per cell")
    parser.add_argument(
        "--seed", type=int, default=0, help="seed of the first cell; the next cells take the next seeds"
    )
    parser.add_argument(
        "--round_field", action="store_true", help="slices as wide as the scanned circle, black outside of it"
    )
    parser.add_argument(
        "--raw",
        action="store_true",
        help="one whole cell in air instead, tilted and bent, in three fields of view, with its true region; of --cells, "
        "--slices, --difficulty and --round_field it knows nothing",
    )
    parser.add_argument(
        "--size",
        type=int,
        nargs="+",
        default=[256],
        help="of the raw volume, one number or Z Y X; the study's: 3977 2575 2582",
    )
    parser.add_argument("--format", choices=tuple(SUFFIXES), default="tiff", help="of the raw volume")
    given = parser.parse_args()
    if len(given.size) not in (1, 3):
        parser.error("--size takes one number or three, Z Y X")
    usual = "data/raw" if given.raw else "data/hard" if given.difficulty == "hard" else "data/phantom"
    target = given.output_dir or Path(usual)
    start = time.monotonic()
    try:
        check_place(target)
        if given.raw:
            size = tuple(given.size * (3 // len(given.size)))
            folder = make_raw_phantom(target, size, given.seed, given.format)
            print(f"{folder}: a raw scan of {' x '.join(map(str, size))} voxels in {time.monotonic() - start:.0f} s")
            return 0
        folder = make_dataset(target, given.cells, given.slices, given.seed, given.round_field, given.difficulty)
    except BadInput as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"{folder}: {given.cells} cells of {given.slices} slices in {time.monotonic() - start:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())

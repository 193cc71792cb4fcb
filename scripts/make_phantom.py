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


def main() -> int:
    readable_streams()
    parser = argparse.ArgumentParser(description="Make a labelled data set of synthetic Li-polymer-Li cells.")
    parser.add_argument(
        "--output_dir",
        action=GivenPath,
        help="folder to make, data/phantom or data/hard; it must not hold anything yet",
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
    given = parser.parse_args()
    target = given.output_dir or Path("data/hard" if given.difficulty == "hard" else "data/phantom")
    start = time.monotonic()
    try:
        check_place(target)
        folder = make_dataset(target, given.cells, given.slices, given.seed, given.round_field, given.difficulty)
    except BadInput as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"{folder}: {given.cells} cells of {given.slices} slices in {time.monotonic() - start:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())

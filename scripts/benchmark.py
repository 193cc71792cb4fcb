"""Speed beside that of others, e.g. `python scripts/benchmark.py inference --network unet --threads 2`."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

if __name__ == "__main__":
    from custom.running.interruption import install

    install()  # before what takes seconds to import

import torch
from benchmarking import inference, pieces, sampling, training
from benchmarking.measuring import NETWORKS, table

from custom.base.errors import BadInput
from custom.base.readable import readable_streams
from custom.command_line import check_device
from custom.command_line.options import GivenPath


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Compare this project's speed with that of others as documented, in one run."
    )
    modes = parser.add_subparsers(dest="mode", required=True)
    segmenting = modes.add_parser("inference", help="voxels per second of the sliding window")
    segmenting.add_argument("--slices", type=int, default=2, help="slices, segmented as one slab")
    segmenting.add_argument("--size", type=int, nargs=2, default=[340, 2071], metavar=("Y", "X"))
    segmenting.add_argument("--overlap", type=float, default=0.25)
    segmenting.add_argument("--int8", action=GivenPath, help="a copy of the shipped weights with its 8 bits beside it")
    teaching = modes.add_parser("training", help="samples per second of a training")
    teaching.add_argument(
        "--dataset_dir", action=GivenPath, default="data/phantom", help="the phantom is made there on first use"
    )
    teaching.add_argument("--steps", type=int, default=5, help="steps that are timed at once")
    teaching.add_argument("--workers", type=int, default=0, help="processes of the plain recipe's loader")
    cutting = modes.add_parser("region", help="voxels per second of sampling a region of interest")
    cutting.add_argument("--slices", type=int, default=64, help="of the region")
    cutting.add_argument("--size", type=int, nargs=2, default=[1288, 1291], metavar=("Y", "X"), help="of a raw slice")
    counting = modes.add_parser("pieces", help="agglomerates of a mask, in seconds and memory")
    counting.add_argument("--slices", type=int, default=320, help="of the mask")
    counting.add_argument("--size", type=int, nargs=2, default=[340, 2071], metavar=("Y", "X"))
    counting.add_argument(
        "--dataset_dir", action=GivenPath, default="data/hard", help="whose labels are laid side by side"
    )
    for mode in (segmenting, teaching):
        mode.add_argument("--network", choices=NETWORKS if mode is segmenting else NETWORKS[:-1], default="transforcnn")
        mode.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
        mode.add_argument("--batch_size", type=int, default=8, help="windows, or patches, a call")
    for mode in (segmenting, teaching, cutting, counting):
        mode.add_argument("--threads", type=int, help="CPU threads; by default as many as torch takes")
        mode.add_argument("--repeats", type=int, default=5, help="timed turns, of which the median counts")
        mode.add_argument("--json", action=GivenPath, help="write all figures to this file too")
    return parser.parse_args()


def measured(given: argparse.Namespace) -> dict[str, Any]:
    size = (given.size[0], given.size[1]) if given.mode != "training" else (0, 0)
    if given.mode == "region":
        return sampling.measure(given.threads, given.slices, size, given.repeats)
    if given.mode == "pieces":
        return pieces.measure(given.threads, Path(given.dataset_dir), given.slices, size, given.repeats)
    device = check_device(given.device)
    if given.mode == "inference":
        return inference.measure(
            given.network,
            device,
            given.threads,
            given.slices,
            size,
            given.overlap,
            given.batch_size,
            given.repeats,
            given.int8,
        )
    return training.measure(
        given.network,
        device,
        given.threads,
        str(given.dataset_dir),
        given.batch_size,
        given.steps,
        given.workers,
        given.repeats,
    )


def main() -> int:
    readable_streams()
    given = arguments()
    try:
        found = measured(given)
    except BadInput as error:
        print(error, file=sys.stderr)
        return 2
    print("; ".join(f"{key} {value}" for key, value in found.items() if key != "rows"))
    print(table(found["rows"]))
    if given.json:
        given.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

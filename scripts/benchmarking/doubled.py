"""Fields of view as large as the study's within minutes: those of a smaller raw phantom, every voxel twice along each axis.

`python scripts/benchmarking/doubled.py --phantom_dir data/tall --size 3977 2575 2582 --output_dir data/study_size` writes
low.zarr, mid.zarr and high.zarr, cut at their ends to the size that they have when they are joined.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np

from custom.base.errors import BadInput
from custom.base.whole_folder import whole_folder
from custom.command_line.options import GivenPath
from custom.phantom.raw_dataset import FIELDS
from custom.stack import open_stack
from custom.stack.writers import open_writer

SLAB = 16  # slices that are read at a time


def double(phantom: Path, size: tuple[int, int, int], target: Path) -> None:
    """Write the fields of `phantom`, made with `--format zarr`, cut to `size` (Z, Y, X), into a new folder.

    Raises:
        BadInput: the phantom is not there, it has less than half of `size`, or `target` holds something.
    """
    stacks = [open_stack(phantom / f"{name}.zarr") for name in FIELDS]
    tall = json.loads((phantom / "true_region.json").read_text(encoding="utf-8"))["volume"]["shape"][0]
    most = tuple(2 * side for side in (tall, *stacks[0].shape[1:]))
    if not all(0 < side <= limit for side, limit in zip(size, most, strict=True)):
        raise BadInput(
            f"{phantom}: twice its voxels are {most}, not {size}; give a smaller --size or a larger phantom."
        )
    with whole_folder(target) as folder:
        for name, stack in zip(FIELDS, stacks, strict=True):
            depth = 2 * stack.shape[0] - (most[0] - size[0] if name == FIELDS[-1] else 0)
            with open_writer(folder / name, "zarr", (depth, *size[1:]), stack.dtype, stack.voxel_size_um) as writer:
                for start in range(0, (depth + 1) // 2, SLAB):
                    block = stack.read(start, min(start + SLAB, stack.shape[0]))
                    for axis in range(3):
                        block = block.repeat(2, axis)
                    writer.write(2 * start, np.ascontiguousarray(block[: depth - 2 * start, : size[1], : size[2]]))


def main() -> int:
    parser = argparse.ArgumentParser(description="Make large fields of view of a raw phantom's.")
    parser.add_argument("--phantom_dir", action=GivenPath, required=True, help="of make_phantom.py --raw --format zarr")
    parser.add_argument(
        "--size", type=int, nargs=3, default=[3977, 2575, 2582], metavar="N", help="when joined, at most twice"
    )
    parser.add_argument("--output_dir", action=GivenPath, required=True, help="folder to make")
    given = parser.parse_args()
    try:
        double(Path(given.phantom_dir), tuple(given.size), Path(given.output_dir))
    except BadInput as refused:
        print(f"error: {refused}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""What measuring a whole region of interest costs: hard phantom cells side by side, with their probability, on the disk.

`python scripts/benchmarking/whole_region.py --dataset_dir data/hard --output_dir runs/whole_region` segments its cells with
the shipped U-Net, lays them side by side until they are as large as the study's region, and measures that at five thresholds.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import shutil
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))


from benchmarking.commands import MEASURING, SEGMENTING, bundle
from benchmarking.pieces import laid
from custom.base.errors import BadInput
from custom.command_line.options import GivenPath
from custom.stack import open_stack

STUDY = (3849, 340, 2071)  # Quenum, Zenyuk, Ushizima, J. Imaging 9:111, 2023
FOUND = ("mask", "probability")


def segmented(dataset: Path, folder: Path) -> list[Path]:
    """Where the masks and probabilities of all cells lie; those that are there stay."""
    sides = json.loads((dataset / "splits.json").read_text(encoding="utf-8"))
    found = []
    for stem in sorted(sum(sides.values(), [])):
        found.append(folder / stem)
        if not (found[-1] / "summary.json").exists():
            given = {"stack": dataset / "images" / f"{stem}.tif", "output_dir": found[-1], "overwrite": "true"}
            bundle(SEGMENTING, folder / "log.txt", probability="true", **given)
    return found


def found_in(cells: Sequence[Path], folder: Path, shape: tuple[int, int, int]) -> dict[str, Path]:
    """The mask and the probability of that many voxels."""
    made = {}
    for name in FOUND:
        stacks = [open_stack(cell / f"{name}.zarr") for cell in cells]
        voxels = [stack.read(0, stack.shape[0]) for stack in stacks]
        made[name] = laid(voxels, folder / name, shape, stacks[0].voxel_size_um)
    return made


def cost(given: dict[str, Any], log: Path) -> tuple[float, float]:
    """Seconds and peak resident MB of one measuring, in a process that has no other child."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_cost, given, log).result()


def _cost(given: dict[str, Any], log: Path) -> tuple[float, float]:
    began = time.perf_counter()
    bundle(MEASURING, log, **given)
    return time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000


def libraries(log: Path, folder: Path) -> float:
    """Resident MB of the command when it has imported what it runs on: it is refused then, for a mask that is not there."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_refused, log, folder).result()


def _refused(log: Path, folder: Path) -> float:
    try:
        bundle(MEASURING, log, mask=folder / "no_mask.zarr", output_dir=folder / "refused")
    except BadInput:
        return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000
    raise AssertionError("a mask that is not there was measured")


def main() -> int:
    parser = argparse.ArgumentParser(description="Time and memory of measuring a region as large as the study's.")
    parser.add_argument("--dataset_dir", action=GivenPath, required=True, help="a phantom of make_phantom.py")
    parser.add_argument("--output_dir", action=GivenPath, default=Path("runs/whole_region"))
    parser.add_argument(
        "--slices", type=int, nargs="+", default=[STUDY[0]], help="how long; several, one after the other"
    )
    given = parser.parse_args()
    folder = Path(given.output_dir).absolute()
    (folder / "cells").mkdir(parents=True, exist_ok=True)
    try:
        cells, log = segmented(Path(given.dataset_dir).absolute(), folder / "cells"), folder / "log.txt"
        beyond = libraries(log, folder)
        for slices in given.slices:
            out = folder / str(slices)
            named = found_in(cells, out, (slices, *STUDY[1:]))
            # the first and the last electrode of the cells that lie one over the other
            seconds, peak = cost(
                {**named, "electrodes": "[40,300]", "output_dir": out / "measured", "overwrite": "true"}, log
            )
            page = (out / "measured/report.html").stat().st_size
            told = {"shape": [slices, *STUDY[1:]], "seconds": round(seconds), "peak MB": round(peak)}
            print(
                json.dumps(
                    {**told, "beyond the libraries MB": round(peak - beyond), "report.html MB": round(page / 1e6, 1)}
                )
            )
            for path in named.values():
                shutil.rmtree(path)
    except BadInput as refused:
        print(f"error: {refused}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

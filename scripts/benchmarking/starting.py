"""How long short commands take from Enter to their end, and many small stacks by one command beside a command for each.

`python scripts/benchmarking/starting.py --beside ../before` runs the commands of another checkout of this project in turn
with its own. What only this one can do, several stacks by one command, has no row of the other.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tifffile
from scipy import ndimage

ROOT = Path(__file__).resolve().parents[2]
IMPORTS = [sys.executable, "-c", "import torch, monai.bundle"]
RUN = [sys.executable, "-m", "monai.bundle", "run", "--config_file", "bundle/configs/inference.json"]


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Seconds of short commands from Enter to their end.")
    parser.add_argument("--beside", type=Path, help="another checkout of this project, whose commands are timed too")
    parser.add_argument("--stacks", type=int, default=100, help="how many are segmented by one command")
    parser.add_argument("--repeats", type=int, default=7, help="timed turns, of which the median counts")
    return parser.parse_args(words)


def write_stack(path: Path, shape: tuple[int, int, int], seed: int) -> None:
    """Noise with blobs, 16 bits."""
    rng = np.random.default_rng(seed)
    blobs = ndimage.gaussian_filter(rng.standard_normal(shape), (1, 6, 6))
    grey = 20_000 + 15_000 * (blobs > np.quantile(blobs, 0.97)) + 2_500 * rng.standard_normal(shape)
    tifffile.imwrite(path, grey.clip(0, 65_535).astype(np.uint16), photometric="minisblack")


def seconds(words: Sequence[str], folder: Path, code: int = 0) -> float:
    """Of a command in a folder.

    Raises:
        RuntimeError: it ended with another exit code.
    """
    begun = time.perf_counter()
    ended = subprocess.run(words, cwd=folder, capture_output=True, text=True)
    found = time.perf_counter() - begun
    if ended.returncode != code:
        raise RuntimeError(f"{words} ended with {ended.returncode}:\n{ended.stdout[-2000:]}\n{ended.stderr[-2000:]}")
    return found


def commands(folder: Path) -> dict[str, tuple[list[str], int]]:
    """What is timed, by name: the words, and the exit code that they end with."""
    out, slice_, small = str(folder / "out"), str(folder / "slice.tif"), str(folder / "cell_000.tif")
    again = ["--output_dir", out, "--overwrite", "true"]
    return {
        "import torch, monai.bundle": (IMPORTS, 0),
        "one slice of 340 x 512": ([*RUN, "--stack", slice_, *again], 0),
        "a misspelt key": ([*RUN, "--stak", slice_, *again], 2),
        "a missing file": ([*RUN, "--stack", str(folder / "missing.tif"), *again], 2),
        "one stack of 4 x 192 x 320": ([*RUN, "--stack", small, *again], 0),
    }


def main(words: Sequence[str] | None = None) -> int:
    given = arguments(words)
    places = {"here": ROOT, **({} if given.beside is None else {"beside": given.beside})}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_stack(folder / "slice.tif", (1, 340, 512), 0)
        for number in range(given.stacks):
            write_stack(folder / f"cell_{number:03d}.tif", (4, 192, 320), number)
        found: dict[tuple[str, str], list[float]] = {}
        for _ in range(given.repeats):
            for what, (command, code) in commands(folder).items():
                for where, root in places.items():
                    found.setdefault((what, where), []).append(seconds(command, root, code))
        median = {row: statistics.median(values) for row, values in found.items()}
        pattern = ["--stack", str(folder / "cell_*.tif"), "--output_dir", str(folder / "all")]
        together = seconds([*RUN, *pattern], ROOT)
    print("| command | " + " | ".join(f"{where}: seconds | beyond the imports" for where in places) + " |")
    print("| --- |" + " --- | --- |" * len(places))
    names = list(commands(folder))
    for what in names:
        cells = [f"{median[what, where]:.2f} | {median[what, where] - median[names[0], where]:.2f}" for where in places]
        print(f"| {what} | " + " | ".join(cells) + " |")
    alone = given.stacks * median["one stack of 4 x 192 x 320", "here"]
    print(
        f"{given.stacks} such stacks by one command: {together:.1f} s, once; by a command each {alone:.0f} s, so often its median: "
        f"{alone / together:.1f} times"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())

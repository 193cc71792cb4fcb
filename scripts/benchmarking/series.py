"""How exactly a series is registered, how right its growth is, and how well its pieces are followed, against the truth.

`python scripts/benchmarking/series.py --seeds 0 1 2 3 4` draws a growing cell for each seed, five scans of it, each moved at
random, measures them as `measure.json` does, and prints a line a seed.
"""

from __future__ import annotations

import argparse
import csv
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
import tifffile

from custom.measuring.opening import open_cell
from custom.measuring.run import Measuring
from custom.phantom.growing import GrowingCell
from custom.phantom.growing_truth import Piece, balls_of, true_cases
from custom.running import OutputFolder
from custom.series.move import Move, apart
from custom.series.run import Series
from custom.stack import open_stack

SIZE = 1.5  # um
SHAPE = (128, 110, 200)  # of smaller cells the masks' rounding to voxels alone is a fiftieth of a step's growth


def write_scans(cell: GrowingCell, folder: Path, grey: bool = True) -> Path:
    """All scans as TIFF, and their list."""
    lines = ["mask,stack,charge_mAh_cm2" if grey else "mask,charge_mAh_cm2"]
    for scan in range(cell.scans):
        files = {f"mask_{scan}.tif": cell.mask(scan)} | ({f"grey_{scan}.tif": cell.grey(scan)} if grey else {})
        for name, voxels in files.items():
            told = {"axes": "ZYX", "unit": "um", "spacing": SIZE}
            tifffile.imwrite(folder / name, voxels, imagej=True, resolution=(1 / SIZE, 1 / SIZE), metadata=told)
        lines.append(",".join([*files, f"{0.5 * scan:g}"]))
    (folder / "series.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder / "series.csv"


def table(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def registration_errors(cell: GrowingCell, out: Path) -> list[float]:
    """The largest error over the corners, in voxels, of each scan but the first."""
    size, found = np.full(3, SIZE), []
    for scan, row in list(enumerate(table(out / "registration.csv")))[1:]:
        told = [np.deg2rad(float(row[f"rotation_{axis}_degrees"])) for axis in "zyx"]
        told += [float(row[f"shift_{axis}_um"]) for axis in "zyx"]
        truth = Move(cell.turns[scan], cell.shifts[scan] * size, cell.centre * size)
        found.append(apart(Move.of(np.array(told), cell.centre * size), truth, cell.shape, size))
    return found


def growth_errors(cell: GrowingCell, out: Path) -> list[float]:
    """By what share the net growth of each step is wrong."""
    found = []
    for scan, row in enumerate(table(out / "growth.csv")):
        before, after = cell.volumes(scan)
        found.append(float(row["net_um3"]) / SIZE**3 / (after - before) - 1)
    return found


def rounding(cell: GrowingCell, out: Path) -> list[float]:
    """By what share the net growth of each step differs from that of the masks' voxels: what their rounding has no part in."""
    voxels = [int(np.count_nonzero(cell.mask(scan))) for scan in range(cell.scans)]
    nets = [float(row["net_voxels"]) for row in table(out / "growth.csv")]
    return [net / (after - before) - 1 for net, before, after in zip(nets, voxels, voxels[1:], strict=False)]


def followed_rightly(cell: GrowingCell, out: Path) -> tuple[int, int]:
    """How many cases were told rightly, of how many: where each piece comes from, and what becomes of those that end."""
    tracks = table(out / "tracks.csv")
    names = [row["scan"] for row in table(out / "series.csv")]
    pieces = [_pieces(cell, out, scan, name) for scan, name in enumerate(names)]
    at = {(row["track"], row["scan"]): int(row["agglomerate"]) for row in tracks if row["agglomerate"]}
    right = cases = 0
    for scan, (before, after) in enumerate(zip(names, names[1:], strict=False)):
        begins: dict[Piece | None, Any] = {}
        ends: dict[Piece | None, Any] = {}
        for row in (row for row in tracks if row["scan"] == after):
            event, other = row["event"], row["other_track"]
            if row["agglomerate"]:
                kind = {"born": "born", "split from": "split"}.get(event, "on")
                come = None if kind == "born" else at.get((row["track"] if kind == "on" else other, before))
                begins[pieces[scan + 1].get(int(row["agglomerate"]))] = kind, pieces[scan].get(come or 0)
            else:
                gone = pieces[scan].get(at[row["track"], before])
                ends[gone] = (
                    {"merged into": "merged"}.get(event, event),
                    pieces[scan + 1].get(at.get((other, after), 0)),
                )
        truth = true_cases(cell, scan)
        for told, true in zip((begins, ends), truth, strict=True):
            cases += len(true)
            right += sum(told.get(piece) == case for piece, case in true.items())
        cases += len(set(ends) - set(truth[1]))  # what does not end in truth
    return right, cases


def _pieces(cell: GrowingCell, out: Path, scan: int, name: str) -> dict[int, Piece]:
    stack = open_stack(out / name / "agglomerates.zarr")
    places = cell.moved(scan, cell.balls.centres)
    return balls_of(cell, scan, stack.read(0, stack.shape[0]), places)


def measured(cell: GrowingCell, listed: Path, out: Path) -> None:
    """Measure a series as measure.json does."""
    measuring = partial(Measuring, slab_height=16, thresholds=())
    Series(listed, partial(open_cell, thickness_axis="y"), None, measuring, 16, OutputFolder(out)).run()


def row_of(seed: int, grey: bool, folder: Path) -> dict[str, Any]:
    """Draw, measure and compare one series."""
    cell = GrowingCell(SHAPE, seed=seed)
    listed = write_scans(cell, folder, grey)
    begin = time.perf_counter()
    measured(cell, listed, folder / "out")
    seconds = time.perf_counter() - begin
    errors, growth = registration_errors(cell, folder / "out"), growth_errors(cell, folder / "out")
    right, cases = followed_rightly(cell, folder / "out")
    return {
        "seed": seed,
        "by": "grey values" if grey else "masks",
        "moved, voxels": f"{max(_moved(cell, scan) for scan in range(1, cell.scans)):.1f}",
        "registration, voxels": f"{max(errors):.3f}",
        "net growth, each step": ", ".join(f"{error:+.1%}" for error in growth),
        "beside the masks' voxels": f"{max(map(abs, rounding(cell, folder / 'out'))):.2%}",
        "followed": f"{right} of {cases}",
        "seconds": f"{seconds:.0f}",
    }


def _moved(cell: GrowingCell, scan: int) -> float:
    one, centre = np.ones(3), cell.centre
    return apart(Move.none(centre), Move(cell.turns[scan], cell.shifts[scan], centre), cell.shape, one)


def main() -> int:
    parser = argparse.ArgumentParser(
        description="Registration, growth and following of five scans against their truth."
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(5)))
    parser.add_argument("--masks", action="store_true", help="register by the masks alone, without grey values")
    given = parser.parse_args()
    for number, seed in enumerate(given.seeds):
        with tempfile.TemporaryDirectory() as folder:
            row = row_of(seed, not given.masks, Path(folder))
        if not number:
            print(f"| {' | '.join(row)} |\n| {' | '.join(['---'] * len(row))} |")
        print(f"| {' | '.join(map(str, row.values()))} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

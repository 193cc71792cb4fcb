"""How right the figures of a measured cell are: phantom cells beside what their generator wrote of them.

`python scripts/benchmarking/quantities.py --phantoms data/cells data/hard --output_dir runs/quantities` measures the test cells
of each phantom from the true classes, then from the mask and probability of the shipped U-Net with the grey stack, and prints
a table for each. A line a cell is kept in runs/quantities/cells.jsonl; what was cut off goes on there.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np

from benchmarking.commands import MEASURING, SEGMENTING, bundle
from benchmarking.true_figures import plane_of, true_figures, true_surfaces
from custom.base.errors import BadInput
from custom.command_line.options import GivenPath
from custom.electrodes.surface import Surface
from custom.measuring.opening import open_cell
from custom.phantom.classes import CLASSES

# how the error of a figure is told: a share of the truth, the difference, the difference in voxels, right or wrong
SHARE, PLAIN, VOXELS, RIGHT = "%", "", "voxels", "wrong"
ERRORS = {
    "lithium_um3": SHARE,
    "areal_capacity_mAh_cm2": SHARE,
    "surface_area_um2": SHARE,
    "agglomerates": PLAIN,
    "largest_agglomerate_voxels": SHARE,
    "dead_agglomerates": PLAIN,
    "dead_lithium_fraction": PLAIN,
    "bridged_6": RIGHT,
    "bridged_26": RIGHT,
    "smallest_gap_um": VOXELS,
    "penetration_depth_um": VOXELS,
    "penetration_depth_95_um": VOXELS,
    "electrodes_apart_um": VOXELS,
    "electrode surfaces, mean distance": VOXELS,
    "electrode planes, angle": "degrees",
    "Sq_1_um": VOXELS,
    "Sq_2_um": VOXELS,
}


def measured(phantom: Path, stem: str, folder: Path) -> dict[str, Any]:
    """One cell: what is true, and both measurements with their errors."""
    folder.mkdir(parents=True, exist_ok=True)
    log, stack = folder / "log.txt", phantom / "images" / f"{stem}.tif"
    classes, found = phantom / "classes" / f"{stem}.tif", folder / "found"
    named = {"mask": classes, "classes": list(CLASSES)}
    bundle(MEASURING, log, **named, output_dir=folder / "true", overwrite="true")
    bundle(SEGMENTING, log, stack=stack, probability="true", output_dir=found, overwrite="true")
    given = {"mask": found / "mask.zarr", "probability": found / "probability.zarr", "stack": stack}
    bundle(MEASURING, log, **given, output_dir=folder / "predicted", overwrite="true")
    truth = true_figures(phantom, stem)
    row: dict[str, Any] = {"phantom": phantom.name, "cell": stem, "truth": truth}
    cells: dict[str, dict[str, Any]] = {
        "true": {"mask": classes, "classes": tuple(CLASSES)},
        "predicted": {"mask": given["mask"], "stack": stack},
    }
    for name, opened in cells.items():
        told = json.loads((folder / name / "quantities.json").read_text(encoding="utf-8"))
        errors = {
            key: error(key, told.get(key), truth[key], told["voxel_size_um"][1]) for key in ERRORS if key in truth
        }
        row[name] = {
            "errors": errors | of_electrodes(opened, true_surfaces(phantom, stem)),
            "within": within(told, truth),
        }
    return row


def error(name: str, found: Any, truth: Any, voxel: float) -> float | None:
    """By the unit of `ERRORS`; None where the figure is missing."""
    if found is None or truth is None:
        return None
    difference = float(found) - float(truth)
    if ERRORS[name] == SHARE:
        return 100 * difference / truth if truth else None
    return difference / voxel if ERRORS[name] == VOXELS else difference


def of_electrodes(opened: dict[str, Any], surfaces: np.ndarray) -> dict[str, float | None]:
    """How far the surfaces lie from the true ones, and their planes from those of least squares; the worse of both."""
    cell = open_cell(**opened)
    names = [name for name in ERRORS if name.startswith("electrode ")]
    if cell.electrodes is None:
        return dict.fromkeys(names)
    z, x = (np.arange(n) for n in surfaces[0].shape)
    pairs = list(zip(cell.electrodes.surfaces, surfaces, strict=True))
    apart = max(float(np.abs(found.heights(z, x) - true).mean()) for found, true in pairs)
    return dict(zip(names, (apart, max(angle(found, plane_of(true)) for found, true in pairs)), strict=True))


def angle(one: Surface, other: Surface) -> float:
    """Between the normals of two planes in cubic voxels, degrees."""
    cosine = float(one.normal((1, 1, 1), 1) @ other.normal((1, 1, 1), 1))
    return math.degrees(math.acos(min(1.0, cosine)))


def within(told: dict[str, Any], truth: dict[str, Any]) -> dict[str, bool]:
    """Whether the truth lies in the range of each figure that has one."""
    ranges = {name: ends for name, ends in (told.get("ranges") or {}).items() if name in truth and ends}
    if "lithium_um3" in ranges:  # capacity goes with volume
        by = told["areal_capacity_mAh_cm2"] / told["lithium_um3"]
        ranges["areal_capacity_mAh_cm2"] = [end * by for end in ranges["lithium_um3"]]
    for name in ("bridged_6", "bridged_26"):
        if rows := told.get("by_threshold"):
            ranges[name] = [f(row[name] for row in rows) for f in (min, max)]
    return {name: bool(low <= truth[name] <= high) for name, (low, high) in ranges.items()}


def table(rows: Sequence[dict[str, Any]], name: str) -> str:
    """Markdown: median and worst absolute error of each figure by phantom, and how often the truth lies in its range."""
    phantoms = list(dict.fromkeys(row["phantom"] for row in rows))
    heads = ["figure", "error in"]
    for phantom in phantoms:
        count = sum(row["phantom"] == phantom for row in rows)
        heads += [f"{phantom} ({count}): median", "worst", *(["truth in range"] if name == "predicted" else [])]
    lines = [heads, ["---"] * len(heads)]
    for figure, unit in ERRORS.items():
        line = [figure, unit]
        for phantom in phantoms:
            held = [row[name] for row in rows if row["phantom"] == phantom]
            errors = [abs(one["errors"][figure]) for one in held if one["errors"].get(figure) is not None]
            if unit == RIGHT:
                line += [f"{sum(map(bool, errors))} of {len(errors)}", ""]
            else:
                line += [f"{statistics.median(errors):.3g}", f"{max(errors):.3g}"] if errors else ["", ""]
            if name == "predicted":
                hits = [one["within"][figure] for one in held if figure in one["within"]]
                line.append(f"{sum(hits)} of {len(hits)}" if hits else "")
        lines.append(line)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> int:
    parser = argparse.ArgumentParser(description="Compare the figures of measured phantom cells with the truth.")
    parser.add_argument("--phantoms", action=GivenPath, nargs="+", required=True, help="folders of make_phantom.py")
    parser.add_argument("--output_dir", action=GivenPath, default=Path("runs/quantities"))
    parser.add_argument("--side", default="test", choices=("train", "val", "test"), help="which cells")
    given = parser.parse_args()
    path = Path(given.output_dir) / "cells.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []
    try:
        for phantom in map(Path, given.phantoms):
            for stem in json.loads((phantom / "splits.json").read_text(encoding="utf-8"))[given.side]:
                if (phantom.name, stem) in {(row["phantom"], row["cell"]) for row in rows}:
                    continue
                rows.append(measured(phantom.absolute(), stem, path.parent.absolute() / phantom.name / stem))
                with path.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(rows[-1]) + "\n")
    except BadInput as refused:
        print(f"error: {refused}", file=sys.stderr)
        return 2
    for name, title in (("true", "From the true classes"), ("predicted", "From the shipped U-Net's mask")):
        print(f"{title}\n\n{table(rows, name)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""How exactly regions of interest are found: random raw phantoms, fields joined and cell found, compared with the truth.

`python scripts/benchmarking/regions.py --output_dir runs/regions --phantoms 50` writes a line a phantom to
runs/regions/phantoms.jsonl, goes on there after a stop, and prints the table at the end.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
from numpy.typing import NDArray

from custom.base.errors import BadInput
from custom.command_line.options import GivenPath
from custom.phantom.raw_phantom import RawPhantom
from custom.region import Field, Region, corners_of
from custom.region.fields import weights
from custom.region.finding import find_region
from custom.stack import Stack

SIDES = (256, 512)
GRID = 21  # points along z and x of a face whose flatness is measured


class Held(Stack):
    """A field of view in memory."""

    def __init__(self, name: str, slices: Sequence[NDArray[Any]]) -> None:
        self._slices = np.stack(slices)
        super().__init__(name, self._slices.shape, self._slices.dtype, None)

    def _read(self, start: int, stop: int) -> NDArray[Any]:
        return self._slices[start:stop].copy()


def drawn_size(seed: int) -> tuple[int, int, int]:
    """(Z, Y, X) from 256 to 512, smaller ones more often: a large phantom takes eight times as long."""
    z, y, x = (SIDES[0] + (SIDES[1] - SIDES[0]) * np.random.default_rng((seed, 7)).random(3) ** 2).astype(int)
    return int(z), int(y), int(x)


def measured(seed: int, size: tuple[int, int, int]) -> dict[str, Any]:
    """One phantom: what is wrong by how much, in voxels and degrees."""
    began = time.monotonic()
    phantom = RawPhantom.draw(size, seed)
    places = phantom.layout.fields
    stacks = []
    for number, name in enumerate(("low", "mid", "high")):
        make = phantom.in_field(number)
        stacks.append(Held(name, [make(z)[0] for z in range(places[number].shape[0])]))
    made = time.monotonic()
    row: dict[str, Any] = {"seed": seed, "size": size, "tilt_deg": np.abs(phantom.layout.tilt_deg).max().round(2)}
    try:
        region, look = find_region([stacks[1], stacks[2], stacks[0]])
    except BadInput as refused:
        return row | {"refused": str(refused)}
    row["found_s"], row["made_s"] = round(time.monotonic() - made, 1), round(made - began, 1)
    true = [Field(s.path.name, s.shape, None, p.shift, p.rotation_deg) for s, p in zip(stacks, places, strict=True)]
    if [field.stack for field in region.fields] != [field.stack for field in true]:
        return row | {"refused": f"order of the fields: {[field.stack for field in region.fields]}"}
    corners = np.linalg.norm(corners_of(region.corners, look.shape[0]) - phantom.layout.cell.corners(), axis=-1)
    return row | {
        "corners": np.round(corners.ravel(), 3).tolist(),
        "joins": [_join_error(*pair) for pair in _pairs(region.fields, true)],
        "flatness": [round(flat, 3) for flat in _flatness(phantom, region, true)],
        "correlations": [round(field.correlation or 0, 3) for field in region.fields[1:]],
    }


def _pairs(found: Sequence[Field], true: Sequence[Field]) -> list[tuple[Field, ...]]:
    return [(found[k], found[k + 1], true[k], true[k + 1]) for k in range(len(true) - 1)]


def _join_error(low: Field, high: Field, true_low: Field, true_high: Field) -> dict[str, float]:
    """Of a field in the one below it: where the middle of the overlap comes to lie, and the rotation."""
    found = high.matrix() @ np.linalg.inv(low.matrix())
    true = true_high.matrix() @ np.linalg.inv(true_low.matrix())
    middle = np.array([-true[0, 3] / 2 + true_low.shape[0] / 2, *[(side - 1) / 2 for side in low.shape[1:]], 1.0])
    z, y, x = ((found - true) @ middle)[:3]
    angle = high.rotation_deg - low.rotation_deg - (true_high.rotation_deg - true_low.rotation_deg)
    voxels = float(np.linalg.norm([z, y, x]))
    return {"voxels": round(voxels, 4), "z": round(float(z), 4), "degrees": round(abs(float(angle)), 5)}


def _flatness(phantom: RawPhantom, region: Region, true: Sequence[Field]) -> list[float]:
    """Root mean square of the true faces about planes in the region as it is sampled, joins included."""
    cell = phantom.layout.cell
    nz, ny, nx = cell.shape
    z, x = np.meshgrid(np.linspace(0, nz - 1, GRID), np.linspace(0, nx - 1, GRID), indexing="ij")
    found = []
    for y in (-0.5, ny - 0.5):
        raw = cell.to_raw(np.stack([z, np.full_like(z, y), x], axis=-1)).reshape(-1, 3)
        number = weights(raw[:, 0], true).argmax(axis=0)
        seen = np.empty_like(raw)
        for k, field in enumerate(true):
            chosen = number == k
            move = np.linalg.inv(region.fields[k].matrix()) @ field.matrix()
            seen[chosen] = raw[chosen] @ move[:3, :3].T + move[:3, 3]
        height = region.map().inverse(seen)[:, 1]
        found.append(float(np.sqrt(np.mean((height - height.mean()) ** 2))))
    return found


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Markdown: median, 90 percentile and largest of every error."""
    whole = [row for row in rows if "corners" in row]
    if not whole:
        return "no phantom was found"
    errors = {
        "corner, voxels": [error for row in whole for error in row["corners"]],
        "join, voxels": [join["voxels"] for row in whole for join in row["joins"]],
        "join, degrees": [join["degrees"] for row in whole for join in row["joins"]],
        "electrode plane, RMS voxels": [flat for row in whole for flat in row["flatness"]],
    }
    lines = [
        f"{len(whole)} of {len(rows)} phantoms found",
        "",
        "| error | median | 90 % | largest |",
        "| --- | --- | --- | --- |",
    ]
    for name, values in errors.items():
        lines.append(f"| {name} | {np.median(values):.3f} | {np.percentile(values, 90):.3f} | {max(values):.3f} |")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure how exactly regions of interest are found in raw phantoms.")
    parser.add_argument("--output_dir", action=GivenPath, default=Path("runs/regions"))
    parser.add_argument("--phantoms", type=int, default=50, help="how many")
    parser.add_argument("--first", type=int, default=0, help="the first one's seed; the next have the next seeds")
    parser.add_argument("--size", type=int, nargs=3, metavar="N", help="voxels along z, y and x; random without it")
    given = parser.parse_args()
    path = Path(given.output_dir) / "phantoms.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []
    for seed in range(given.first, given.first + given.phantoms):
        if seed in {row["seed"] for row in rows}:
            continue
        rows.append(measured(seed, tuple(given.size) if given.size else drawn_size(seed)))
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(rows[-1]) + "\n")
        print(json.dumps(rows[-1]), flush=True)
    print(table(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())

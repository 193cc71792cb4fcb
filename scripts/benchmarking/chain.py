"""What the way from a raw scan costs: lithium found in its region of interest, beside that found in the cell as it is.

`python scripts/benchmarking/chain.py --output_dir runs/chain --phantoms 6` runs the commands of the documents on random
raw phantoms, writes a line of Dice for each to runs/chain/phantoms.jsonl, and goes on there after a stop.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
from numpy.typing import NDArray

from benchmarking.commands import SEGMENTING, bundle
from custom.base.errors import BadInput
from custom.command_line.options import GivenPath
from custom.metrics.masks import dice_of
from custom.phantom.raw_dataset import FIELDS, make_raw_phantom
from custom.stack import open_stack

REGION = "bundle/configs/region.json"
ORDERS = ("linear", "cubic")


def drawn_size(seed: int) -> tuple[int, int, int]:
    """(Z, Y, X): every second one the phantom's usual cube."""
    sides = (256, 256, 256) if seed % 2 == 0 else np.random.default_rng(seed + 100).integers(256, 360, 3).tolist()
    return int(sides[0]), int(sides[1]), int(sides[2])


def whole(path: Path) -> NDArray[Any]:
    """A mask, all of it, in [0, 1]."""
    stack = open_stack(path)
    return (stack.read(0, stack.shape[0]) > 0).astype(np.uint8)


def measured(seed: int, folder: Path) -> dict[str, Any]:
    """One phantom: Dice of the cell as its own grid sees it, then of the region and on the raw grid by each interpolation.

    Each beside the label that is drawn on the same grid: the cell's and the region's, and the raw volume's.
    """
    raw = make_raw_phantom(folder / "raw", drawn_size(seed), seed)
    fields = [str(raw / f"{name}.tif") for name in reversed(FIELDS)]
    label, log = whole(raw / "true_label.tif"), folder / "log.txt"
    bundle(SEGMENTING, log, stack=raw / "true_cell.tif", output_dir=folder / "cell")
    raw_label = whole(raw / "raw_label.tif")
    row: dict[str, Any] = {"seed": seed, "cell": dice_of(whole(folder / "cell/mask.zarr"), label)}
    replayed: dict[str, Any] = {}
    for order in ORDERS:
        out = folder / order
        bundle(REGION, log, stack=fields, order=order, output_dir=out, **replayed)
        replayed = {"region": folder / ORDERS[0] / "region.json"}
        bundle(SEGMENTING, log, stack=out / "region.zarr", output_dir=out / "found", probability="true")
        bundle(REGION, log, stack=fields, back=out / "found/probability.zarr", output_dir=out / "back", **replayed)
        mask = whole(out / "found/mask.zarr")
        row[f"region_{order}"] = dice_of(mask, label) if mask.shape == label.shape else None
        row[f"raw_{order}"] = dice_of(whole(out / "back/raw_mask.zarr"), raw_label)
    shutil.rmtree(folder)
    return {name: value if isinstance(value, int) or value is None else round(value, 4) for name, value in row.items()}


def table(rows: list[dict[str, Any]]) -> str:
    """Markdown: a row a phantom, with what is lost beside the cell as it is."""
    names = [name for name in rows[0] if name not in ("seed", "cell")]
    lines = [["seed", "the cell as it is", *[name.replace("_", ", ") for name in names]]]
    lines.append(["---"] * len(lines[0]))
    for row in rows:
        lost = ["" if row[name] is None else f"{row[name]:.4f} ({row[name] - row['cell']:+.4f})" for name in names]
        lines.append([str(row["seed"]), f"{row['cell']:.4f}", *lost])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure what a raw scan's way to its region costs in Dice.")
    parser.add_argument("--output_dir", action=GivenPath, default=Path("runs/chain"))
    parser.add_argument("--phantoms", type=int, default=6, help="how many, of the seeds 0, 1, ...")
    given = parser.parse_args()
    folder = Path(given.output_dir)
    path = folder / "phantoms.jsonl"
    folder.mkdir(parents=True, exist_ok=True)
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []
    for seed in range(given.phantoms):
        if seed in {row["seed"] for row in rows}:
            continue
        shutil.rmtree(folder / str(seed), ignore_errors=True)
        try:
            rows.append(measured(seed, folder / str(seed)))
        except BadInput as error:
            print(f"error: {error}", file=sys.stderr)
            return 2
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(rows[-1]) + "\n")
    print(table(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""One phase of a segmented electrode measured by `measure.json` and by libraries for porous media, side by side.

`python scripts/comparing/electrode.py --mask phases.tif --value 1 --output_dir runs/electrode` takes a (Z, Y, X) stack, the phase
of that value for lithium, and both sides along z for electrodes. PoreSpy, taufactor and scikit-fmm are the extra `porous`;
the rows of one that is missing say so.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np

from custom.base.errors import BadInput
from custom.command_line.options import GivenPath
from custom.running.bundle import run_bundle
from custom.stack import open_stack

ROOT = Path(__file__).resolve().parents[2]
Mask = Any  # bool (Z, Y, X)


def fraction(lithium: Mask) -> float:
    return float(importlib.import_module("porespy").metrics.porosity(lithium))


def pieces(lithium: Mask) -> int:
    """By 26 neighbours; PoreSpy counts with cc3d."""
    return int(importlib.import_module("cc3d").connected_components(lithium, connectivity=26, return_N=True)[1])


def thickness(lithium: Mask) -> tuple[float, float]:
    """Mean and median diameter, in voxels."""
    filters = importlib.import_module("porespy").filters
    found = 2 * filters.local_thickness(lithium, smooth=False)[lithium]
    return float(found.mean()), float(np.median(found))


def geodesic(lithium: Mask) -> float:
    """Fast marching of second order from a plane before the first slice to the last, by the length of the stack."""
    fmm = importlib.import_module("skfmm")
    inside = np.concatenate([np.ones((1, *lithium.shape[1:]), bool), ~lithium])
    level = np.ones(inside.shape)
    level[0] = -1  # the front starts halfway between this layer and the first slice: at the side of the stack
    found = fmm.distance(np.ma.MaskedArray(level, ~inside), dx=1)[-1].compressed()
    return float((found[np.isfinite(found)] + 0.5).mean() / len(lithium))


def diffusive(lithium: Mask) -> float:
    """Tortuosity factor of diffusion through what is not the phase, along z, of every second voxel along each axis."""
    solver = importlib.import_module("taufactor").Solver((~lithium[::2, ::2, ::2]).astype(np.uint8), device="cpu")
    solver.solve(verbose=False)
    return float(np.asarray(solver.tau).ravel()[0])


THEIRS: dict[str, tuple[str, str, Callable[[Mask], Any]]] = {
    "volume_fraction": ("PoreSpy", "porespy", fraction),
    "agglomerates": ("cc3d, as PoreSpy counts", "cc3d", pieces),
    "local_thickness_voxels": ("PoreSpy", "porespy", thickness),
    "geodesic_tortuosity": ("scikit-fmm", "skfmm", geodesic),
    "tortuosity factor of diffusion": ("taufactor", "taufactor", diffusive),
}


def ours(mask: Path, value: int, folder: Path) -> dict[str, Any]:
    """The figures of quantities.json, in voxels.

    Raises:
        BadInput: the command failed.
    """
    names = [f"phase_{number}" for number in range(1, 1 + max(value, 2))]
    given = {"mask": mask.absolute(), "classes": names, "lithium": [names[value - 1]]}
    given |= {"thickness_axis": "z", "electrodes": [0, open_stack(mask).shape[0]]}
    given |= {"output_dir": folder.absolute(), "overwrite": "true"}
    words = [str(word) for key, one in given.items() for word in (f"--{key}", one)]
    log = folder.parent / f"{folder.name}.log"
    with log.open("w", encoding="utf-8") as file:
        if code := run_bundle(["run", "--config_file", "bundle/configs/measure.json", *words], ROOT, file):
            raise BadInput(f"{log}: the command ended with {code}; the reason stands at its end")
    found: dict[str, Any] = json.loads((folder / "quantities.json").read_text(encoding="utf-8"))
    unit = "voxels" if found["voxel_size_um"] is None else "um"
    found["local_thickness_voxels"] = tuple(found[f"local_thickness_{name}_{unit}"] for name in ("mean", "median"))
    return found


def told(value: Any) -> str:
    """As it stands in a table."""
    if isinstance(value, tuple):
        return ", ".join(map(told, value))
    return "" if value is None else f"{value:.4f}" if isinstance(value, float) else str(value)


def main() -> int:
    parser = argparse.ArgumentParser(description="Compare the figures of one phase with those of other libraries.")
    parser.add_argument("--mask", action=GivenPath, required=True, help="stack of phases")
    parser.add_argument("--value", type=int, default=1, help="of the phase that is measured")
    parser.add_argument("--output_dir", action=GivenPath, default=Path("runs/electrode"))
    given = parser.parse_args()
    folder = Path(given.output_dir)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        stack = open_stack(given.mask)
        found = ours(Path(given.mask), given.value, folder / "measured")
    except BadInput as refused:
        print(f"error: {refused}", file=sys.stderr)
        return 2
    lithium = stack.read(0, stack.shape[0]) == given.value
    print("| figure | ours | other | by |\n| --- | --- | --- | --- |")
    for name, (library, package, measure) in THEIRS.items():
        try:
            importlib.import_module(package)
            other = told(measure(lithium))
        except ImportError:
            other = f"{package} is not installed; run pip install '.[porous]'"
        print(f"| {name} | {told(found.get(name))} | {other} | {library} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""A small cell whose figures are known, on disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tifffile

SIZE = 2.0
SHAPE = (20, 60, 30)


def saved_cell(folder: Path) -> dict[str, Path]:
    """A rod on the first electrode, a ball that touches none, a wall of probability between the rod and the second electrode."""
    z, y, x = np.indices(SHAPE)
    rod = (abs(z - 9.5) < 3) & (abs(x - 7.5) < 3) & (y >= 10) & (y < 30)
    ball = (z - 10) ** 2 + (y - 35) ** 2 + (x - 22) ** 2 < 16
    rod_on = (abs(z - 9.5) < 3) & (abs(x - 7.5) < 3) & (y >= 30) & (y < 50)
    mask = (rod | ball).astype(np.uint8)
    probability = np.where(mask, 0.9, np.where(rod_on, 0.2, 0.0)).astype(np.float32)
    electrode = (y < 10) | (y >= 50)
    grey = np.where(electrode | (mask > 0), 8000, 12000) + np.random.default_rng(0).normal(0, 300, SHAPE)
    files = {"mask": mask, "probability": probability, "stack": grey.astype(np.uint16)}
    for name, voxels in files.items():
        tifffile.imwrite(
            folder / f"{name}.tif",
            voxels,
            imagej=True,
            resolution=(1 / SIZE, 1 / SIZE),
            metadata={"axes": "ZYX", "unit": "um", "spacing": SIZE},
        )
    return {name: folder / f"{name}.tif" for name in files}

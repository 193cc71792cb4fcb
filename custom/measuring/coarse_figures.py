"""What is measured on the copy in larger voxels: local thickness of the lithium, ways around it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from custom.measuring.coarse import CoarseCell
from custom.measuring.paths import shortest_paths
from custom.measuring.thickness import local_thickness
from custom.quantities.quantity import Row

FILE = "thickness.csv"


def coarse_figures(cell: CoarseCell, axis: int | None, unit: str) -> tuple[dict[str, Any], Mapping[str, list[Row]]]:
    """Figures, and thickness.csv: how much of the lithium is how thick.

    Args:
        axis: through the thickness of the cell, 0 is z; None: without electrodes there are no ways between them.
        unit: of the voxel size: um or voxels.
    """
    told: dict[str, Any] = {f"coarse_voxel_{unit}": cell.voxel_size}
    tables: dict[str, list[Row]] = {FILE: []}
    lithium = cell.lithium
    found = local_thickness(lithium, cell.voxel_size)[lithium]
    names = ("mean", "median", "95", "largest")
    shares = [found.mean(), *np.percentile(found, [50, 95, 100])] if found.size else [None] * len(names)
    told |= {
        f"local_thickness_{name}_{unit}": None if at is None else float(at)
        for name, at in zip(names, shares, strict=True)
    }
    if found.size and np.isfinite(found).all():
        step = min(cell.voxel_size)
        counts = np.bincount((found / step).astype(int))
        tables[FILE] = [
            {
                f"local_thickness_from_{unit}": n * step,
                f"local_thickness_to_{unit}": (n + 1) * step,
                "share": count / found.size,
            }
            for n, count in enumerate(counts.tolist())
        ]
    if axis is not None:
        ways = shortest_paths(cell, axis)
        told |= {"geodesic_tortuosity": ways.tortuosity, "electrolyte_reached_fraction": ways.reached}
    return told, tables

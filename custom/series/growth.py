"""What was plated and dissolved between two scans, in figures and as maps over the electrodes' plane."""

from __future__ import annotations

import math

import numpy as np

from custom.measuring.reading import Cell
from custom.measuring.volume import MAH_PER_CM3
from custom.quantities.quantity import Row
from custom.series.listing import Listed
from custom.series.step import MAPS, Step


def growth_row(listed: Listed, number: int, step: Step, volumes: tuple[int, int], first: Cell) -> Row:
    """The row of the step that leads to a scan.

    Args:
        number: of the scan, 1 or more.
        volumes: voxels of lithium of the scan before and of this one, as `volumes_in_view` counts them.
        first: the first scan, whose electrodes' area counts.
    """
    before, after = listed.scans[number - 1], listed.scans[number]
    row: dict[str, object] = {"from": before.name, "to": after.name}
    row |= {f"from_{listed.column}": before.along, f"to_{listed.column}": after.along}
    counts = step.counts
    voxels = {name: counts[name] for name in ("grown", "dissolved")} | {"net": volumes[1] - volumes[0]}
    row |= {f"{name}_voxels": count for name, count in voxels.items()}
    known = first.mask.voxel_size_um is not None
    volume = math.prod(first.voxel_size)
    if known:
        row |= {f"{name}_um3": count * volume for name, count in voxels.items()}
    beyond = {f"{name}_beyond_a_voxel": counts[f"{name}_beyond"] for name in MAPS}
    row |= {f"{name}_{'um3' if known else 'voxels'}": n * (volume if known else 1) for name, n in beyond.items()}
    if known and first.electrodes is not None and step.seen_share:
        area = first.electrodes.area(first.mask.shape, first.voxel_size) * step.seen_share
        capacity = volume / area * 1e-4 * MAH_PER_CM3
        row |= {f"{name}_mAh_cm2": count * capacity for name, count in (voxels | beyond).items()}
    return {**row, "common_field_of_view": counts["seen"] / math.prod(first.mask.shape)}


def map_file(name: str, step: str) -> str:
    """The name of a map's file."""
    return f"growth_{step}_{name}.tif"


def map_values(step: Step, name: str, first: Cell) -> np.ndarray:
    """Lithium grown or dissolved through the thickness, float32, in the voxel size's unit."""
    assert first.electrodes is not None
    return step.maps[name].astype(np.float32) * np.float32(first.voxel_size[first.electrodes.axis])

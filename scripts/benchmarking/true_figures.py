"""What a phantom cell truly holds, named as quantities.json names it, from what the generator wrote beside the cell."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from custom.electrodes.surface import Surface
from custom.phantom.classes import LITHIUM
from custom.phantom.layers import ELECTRODE
from custom.stack import open_stack

NEIGHBOURS = np.ones((3, 3, 3), bool)


def true_surfaces(folder: Path, stem: str) -> NDArray[np.float32]:
    """(2, Z, X), y in voxels, as `custom.electrodes` counts it."""
    heights: NDArray[np.float32] = np.load(folder / "electrodes" / f"{stem}.npy")
    return heights


def plane_of(heights: NDArray[np.float32]) -> Surface:
    """The plane of least squares through a surface (Z, X)."""
    z, x = np.indices(heights.shape)
    design = np.stack([np.ones(heights.size), z.ravel(), x.ravel()], axis=1)
    height, first, second = np.linalg.lstsq(design, heights.ravel().astype(float), rcond=None)[0]
    return Surface((float(first), float(second)), float(height), np.zeros((1, 1), np.float32))


def true_figures(folder: Path, stem: str) -> dict[str, Any]:
    """Volume, capacity, pieces, contact, gap and bridging as truth/STEM.json has them; depth, distance and roughness of the
    electrodes from electrodes/STEM.npy; lithium without contact from phases/STEM.tif.

    The gap in truth/STEM.json is one between middles of voxels: a voxel less is that between bodies. Its surface is one of
    voxel faces, 1.5 times the surface of what has no direction.
    """
    told = json.loads((folder / "truth" / f"{stem}.json").read_text(encoding="utf-8"))
    stack = open_stack(folder / "phases" / f"{stem}.tif")
    phases, voxel = stack.read(0, stack.shape[0]), told["voxel_size_um"][1]
    lithium = np.isin(phases, LITHIUM)
    pieces, count = ndimage.label(lithium, NEIGHBOURS)
    touching = np.unique(pieces[ndimage.binary_dilation(phases == ELECTRODE, NEIGHBOURS)])
    voxels = np.bincount(pieces.ravel(), minlength=count + 1)
    held = voxels[1:].sum()
    dead = held - voxels[touching[touching > 0]].sum()
    return {
        "lithium_um3": told["volume_um3"]["lithium"],
        "areal_capacity_mAh_cm2": told["capacity_mah_cm2"],
        "surface_area_um2": told["surface_um2"]["lithium"] / 1.5,
        "agglomerates": told["components"]["lithium"]["26"],
        "largest_agglomerate_voxels": int(voxels[1:].max(initial=0)),
        "dead_agglomerates": told["without_contact"],
        "dead_lithium_fraction": float(dead / held),
        "bridged_6": told["bridged"]["6"],
        "bridged_26": told["bridged"]["26"],
        "smallest_gap_um": max(0.0, told["gap_um"] - voxel),
        **_between(true_surfaces(folder, stem), lithium, voxel),
    }


def _between(surfaces: NDArray[np.float32], lithium: NDArray[np.bool_], voxel: float) -> dict[str, Any]:
    """What follows from where the electrodes end."""
    y = (np.arange(lithium.shape[1]) + 0.5)[None, :, None]
    planes = [plane_of(heights) for heights in surfaces]
    cosines = [1 / math.hypot(1, *plane.slope) for plane in planes]
    near = np.minimum(
        (y - surfaces[0][:, None]) * cosines[0],
        (surfaces[1][:, None] - y) * cosines[1],
    )[lithium]
    depths = np.sort(near[near > 0]) * voxel
    z, x = (np.arange(n) for n in surfaces[0].shape)
    found: dict[str, Any] = {
        "electrodes_apart_um": float((surfaces[1] - surfaces[0]).mean()) * voxel,
        "penetration_depth_um": float(depths[-1]),
        "penetration_depth_95_um": float(depths[math.ceil(0.95 * len(depths)) - 1]),
    }
    for number, (heights, plane) in enumerate(zip(surfaces, planes, strict=True), 1):
        found[f"tilt_{number}_degrees"] = math.degrees(math.acos(cosines[number - 1]))
        found[f"Sq_{number}_um"] = float((heights - plane.heights(z, x)).std()) * voxel
    return found

"""report.html: what was measured, on one page."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from custom.cell_page.page import Page, write_page
from custom.cell_page.parts import chart, map_picture, number, picture_url, slice_url
from custom.measuring.coarse import CoarseCell
from custom.measuring.found import Pieces
from custom.measuring.headline import answer, cards
from custom.measuring.reading import Cell
from custom.measuring.scene import scene_of
from custom.quantities.quantity import Row
from custom.report.overlay import overlay_mask
from custom.stack import grey_window

_ROWS = 200  # of the table of agglomerates
_SLICES = 7


def write_report(
    path: Path,
    cell: Cell,
    figures: Mapping[str, Any],
    tables: Mapping[str, Sequence[Row]],
    coarse: CoarseCell,
    pieces: Pieces,
    numbers: np.ndarray,
    maps: Mapping[str, tuple[Image.Image, float]],
) -> None:
    """Write the page.

    Args:
        figures: of quantities.json.
        tables: by file name.
        coarse: the copy in larger voxels.
        numbers: int32, which piece each of its voxels belongs to, -1 none.
        maps: by name, over the electrodes' plane, as pictures, and each one's largest value; none without electrodes.
    """
    unit = "voxels" if cell.mask.voxel_size_um is None else "um"
    count = min(len(pieces.table["voxels"]), _ROWS)
    page = Page(
        f"Lithium in {cell.mask.path.parent.name}/{cell.mask.path.name}",
        answer(figures, unit),
        cards(figures, unit),
        scene_of(cell, coarse, pieces, numbers, count, unit, figures),
        _rows(tables.get("agglomerates.csv", ()), unit),
        len(pieces.table["voxels"]) - count,
        _charts(tables, pieces, cell, figures, unit),
        [
            (f"{_MAPS[name]}, 0 to {number(largest)} {unit}", picture_url(picture))
            for name, (picture, largest) in maps.items()
        ],
        _slices(cell),
        _static(coarse),
        _told(figures),
    )
    write_page(page, path)


_MAPS = {"thickness": "Lithium through the thickness", "depth": "How far lithium reaches from the nearer electrode"}


def _rows(rows: Sequence[Row], unit: str) -> list[dict[str, str]]:
    names = {
        "agglomerate": "no.",
        f"volume_{unit}3": f"{unit}3",
        "voxels": "voxels",
        f"equivalent_diameter_{unit}": f"diameter, {unit}",
        "class": "class",
    }
    kept = []
    for row in rows[:_ROWS]:
        told = {
            title: number(row[name]) if name != "class" else str(row[name])
            for name, title in names.items()
            if name in row
        }
        if "touches_1" in row:
            told["touches"] = " and ".join(str(e) for e in (1, 2) if row[f"touches_{e}"]) or "none"
        told["cut"] = "yes" if row["cut_by_the_border"] else ""
        kept.append(told)
    return kept


def _charts(
    tables: Mapping[str, Sequence[Row]], pieces: Pieces, cell: Cell, figures: Mapping[str, Any], unit: str
) -> list[str]:
    found = []
    if profile := tables.get("depth_profile.csv"):
        shares = [float(row["volume_fraction"] or 0) for row in profile]  # type: ignore[arg-type]
        found.append(
            chart(
                "Lithium between the electrodes", shares, (0, 1), "place, first electrode to second", "volume fraction"
            )
        )
    if thick := tables.get("thickness.csv"):
        shares = [float(row["share"]) for row in thick]  # type: ignore[arg-type]
        last = float(thick[-1][f"local_thickness_to_{unit}"])  # type: ignore[arg-type]
        found.append(
            chart("Local thickness of the lithium", shares, (0, last), f"thickness, {unit}", "share of the lithium")
        )
    volumes = pieces.table["voxels"] * math.prod(cell.voxel_size)
    if len(volumes) > 1:
        diameters = np.cbrt(6 * volumes / math.pi)
        counts, edges = np.histogram(diameters, 24)
        found.append(
            chart(
                "Sizes of the agglomerates",
                counts.tolist(),
                (edges[0], edges[-1]),
                f"equivalent diameter, {unit}",
                "number",
            )
        )
    if rows := figures.get("by_threshold"):
        ends = rows[0]["threshold"], rows[-1]["threshold"]
        found.append(
            chart(
                "Lithium by threshold",
                [row["lithium_voxels"] for row in rows],
                ends,
                "threshold of the probability",
                "voxels",
                False,
            )
        )
    return found


def _slices(cell: Cell) -> list[tuple[str, str]]:
    depth = cell.mask.shape[0]
    window = None if cell.grey is None else grey_window(cell.grey)
    found = []
    for z in sorted({round((n + 0.5) * depth / _SLICES - 0.5) for n in range(_SLICES)}):
        mask = np.isin(cell.mask.read(z, z + 1)[0], cell.lithium).astype(np.uint8)
        if cell.grey is None or window is None:
            picture = Image.fromarray(mask * 255)
        else:
            grey = np.nan_to_num(cell.grey.read(z, z + 1)[0].astype(np.float32))
            scaled = np.clip((grey - window.lower) / max(window.upper - window.lower, 1e-12), 0, 1)
            picture = Image.fromarray(overlay_mask(scaled, mask))
        found.append((f"Slice {z} of {depth}", slice_url(picture)))
    return found


def _static(coarse: CoarseCell) -> list[tuple[str, str]]:
    return [
        (f"Lithium seen along {'zyx'[axis]}", picture_url(map_picture(coarse.share.mean(axis=axis), 500)))
        for axis in (1, 2, 0)
    ]


def _told(figures: Mapping[str, Any]) -> dict[str, str]:
    names = (
        "mask",
        "probability",
        "stack",
        "shape_zyx",
        "voxel_size_um",
        "electrodes",
        "thickness_axis",
        "command",
        "finished",
    )
    told = {name.replace("_", " "): str(figures[name]) for name in names if figures.get(name) is not None}
    told["definitions"] = (
        "every figure's in measuring.md of the project's documents; all figures in quantities.json beside this page"
    )
    return told

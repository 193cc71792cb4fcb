"""report.html: what was measured, on one page."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from custom.base.colours import class_colour
from custom.cell_page.meshes import Mesh, at_vertices, spread, surface_mesh
from custom.cell_page.page import Card, Page, write_page
from custom.cell_page.parts import chart, map_picture, packed, picture_url
from custom.measuring.agglomerates import Pieces
from custom.measuring.coarse import CoarseCell
from custom.measuring.reading import Cell
from custom.pieces.measured import shapes
from custom.quantities.quantity import Row
from custom.report.overlay import overlay_mask
from custom.stack import grey_window

MOST_TRIANGLES = 240_000  # of all thresholds together
_ROWS = 200  # of the table of agglomerates
_SLICES = 7
_WIDEST = 1100  # pixels of a slice
_GRID = 25  # places along an electrode's surface
_CONTACT = ("the first electrode", "the second electrode", "both: a short circuit", "neither: dead")
_COLOURS = ("#56b4e9", "#e69f00", "#d55e00", "#cc79a7")  # Okabe and Ito's


def write_report(
    path: Path,
    cell: Cell,
    figures: Mapping[str, Any],
    tables: Mapping[str, Sequence[Row]],
    coarse: CoarseCell,
    pieces: Pieces,
    numbers: np.ndarray,
    maps: Mapping[str, np.ndarray],
) -> None:
    """Write the page.

    Args:
        figures: of quantities.json.
        tables: by file name.
        coarse: the copy in larger voxels.
        numbers: int32, which piece each of its voxels belongs to, -1 none.
        maps: by name, over the electrodes' plane; none without electrodes.
    """
    unit = "voxels" if cell.mask.voxel_size_um is None else "um"
    places = _places(pieces, cell)
    page = Page(
        f"Lithium in {cell.mask.path.parent.name}/{cell.mask.path.name}",
        _answer(figures, unit),
        _cards(figures, unit),
        _scene(cell, coarse, pieces, numbers, places, unit, figures),
        _rows(tables.get("agglomerates.csv", ()), unit),
        max(len(pieces.table["voxels"]) - _ROWS, 0),
        _charts(tables, pieces, cell, figures, unit),
        [
            (f"{_MAPS[name]}, 0 to {_number(values.max(initial=0))} {unit}", picture_url(map_picture(values)))
            for name, values in maps.items()
        ],
        _slices(cell),
        _static(coarse),
        _told(figures),
    )
    write_page(page, path)


_MAPS = {"thickness": "Lithium through the thickness", "depth": "How far lithium reaches from the nearer electrode"}


def _number(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return (
        f"{value:.3g}" if abs(value) < 1000 else f"{float(f'{value:.3g}'):,.0f}" if abs(value) < 1e9 else f"{value:.3g}"
    )


def _answer(figures: Mapping[str, Any], unit: str) -> str:
    if not figures["lithium_voxels"]:
        return "There is no lithium in this mask."
    if figures["electrodes"] is None:
        return (
            "No electrodes are known: depth, contact and short circuit are left out. Give the grey stack with --stack, or where "
            "they lie with --electrodes."
        )
    gap = figures[f"smallest_gap_{unit}"]
    if figures["bridged_6"]:
        said = "Lithium joins both electrodes: the cell is short-circuited."
    elif figures["bridged_26"]:
        said = "Lithium joins both electrodes, but only through edges or corners of voxels."
    else:
        said = f"Lithium does not join the electrodes; the smallest gap left is {_number(gap)} {unit}."
    level = figures.get("bridging_threshold_26")
    if level is not None:
        said += f" They are joined where a probability of {level:.2f} counts as lithium."
    elif "bridging_threshold_26" in figures:
        said += " They are not joined at any probability."
    return said


def _cards(figures: Mapping[str, Any], unit: str) -> list[Card]:
    rows = figures.get("by_threshold") or ()
    voxels = figures["lithium_voxels"]
    ends = [row["lithium_voxels"] / voxels for row in rows] if voxels else []
    error = figures.get("lithium_sampling_error_fraction")
    settled = [] if error is None else [f"sampling error {error:.0%}"]

    def ranged(value: float, with_unit: str) -> str:
        span = (
            [f"{_number(min(ends) * value)} to {_number(max(ends) * value)} {with_unit} by threshold"] if ends else []
        )
        return "; ".join(span + settled)

    found: list[Card] = []
    if "lithium_um3" in figures:
        found.append(Card("Lithium", f"{_number(figures['lithium_um3'])} um3", ranged(figures["lithium_um3"], "um3")))
    else:
        found.append(Card("Lithium", f"{_number(voxels)} voxels", ranged(voxels, "voxels")))
    if "areal_capacity_mAh_cm2" in figures:
        value = figures["areal_capacity_mAh_cm2"]
        found.append(Card("Areal capacity, dense lithium", f"{_number(value)} mAh/cm2", ranged(value, "mAh/cm2")))
    if f"effective_thickness_{unit}" in figures:
        value = figures[f"effective_thickness_{unit}"]
        found.append(Card("Effective thickness", f"{_number(value)} {unit}", ranged(value, unit)))
    if f"penetration_depth_{unit}" in figures:
        value, most = figures[f"penetration_depth_{unit}"], figures[f"electrodes_apart_{unit}"]
        note = f"95 %: {_number(figures[f'penetration_depth_95_{unit}'])}; electrodes are {_number(most)} {unit} apart"
        found.append(Card("Penetration depth", f"{_number(value)} {unit}", note))
    found.append(Card("Agglomerates", _number(figures["agglomerates"]), _range(rows, "agglomerates")))
    if figures.get("dead_lithium_fraction") is not None:
        note = f"{_number(figures['dead_agglomerates'])} pieces that touch no electrode"
        found.append(Card("Dead lithium", f"{figures['dead_lithium_fraction']:.1%}", note))
    thick = figures.get(f"local_thickness_mean_{unit}")
    if thick is not None:
        note = f"largest {_number(figures[f'local_thickness_largest_{unit}'])} {unit}"
        found.append(Card("Local thickness, mean", f"{_number(thick)} {unit}", note))
    if figures.get("geodesic_tortuosity") is not None:
        note = f"{figures['electrolyte_reached_fraction']:.1%} of the electrolyte is reached"
        found.append(Card("Geodesic tortuosity", f"{figures['geodesic_tortuosity']:.3f}", note))
    return found


def _range(rows: Sequence[Mapping[str, Any]], name: str) -> str:
    values = [row[name] for row in rows]
    return f"{_number(min(values))} to {_number(max(values))} by threshold" if values else ""


def _places(pieces: Pieces, cell: Cell) -> list[dict[str, Any]]:
    """Where the pieces of the table lie: x, y, z."""
    count = min(len(pieces.table["voxels"]), _ROWS)
    table = {name: column[:count] for name, column in pieces.table.items()}
    if not count:
        return []
    size = np.array(cell.voxel_size)
    reach = ((table["high"] - table["low"] + 1) * size / 2).max(axis=1)
    centre = shapes(table, cell.voxel_size).centre
    return [
        {"centre": [round(float(at), 3) for at in middle[::-1]], "reach": round(float(far), 3)}
        for middle, far in zip(centre, reach, strict=True)
    ]


def _scene(
    cell: Cell,
    coarse: CoarseCell,
    pieces: Pieces,
    numbers: np.ndarray,
    places: Sequence[Mapping[str, Any]],
    unit: str,
    figures: Mapping[str, Any],
) -> dict[str, Any]:
    size = np.array(cell.mask.shape) * np.array(cell.voxel_size)
    levels = [row["threshold"] for row in figures.get("by_threshold") or ()]
    given = [(coarse.probability, level) for level in levels] if coarse.probability is not None and levels else []
    given = given or [(coarse.share, coarse.level)]
    named = spread(numbers, numbers >= 0)
    deepest = 0.0
    if coarse.distances is not None and coarse.lithium.any():
        deepest = float(np.minimum(*coarse.distances)[coarse.lithium].max(initial=0))
    meshes = []
    for volume, level in given:
        assert volume is not None
        mesh = surface_mesh(volume, level, coarse.voxel_size, MOST_TRIANGLES // len(given))
        if len(mesh.faces):
            meshes.append({"threshold": level, **_packed(mesh, coarse, named, size, deepest)})
    first = min(range(len(meshes)), key=lambda n: abs(meshes[n]["threshold"] - 0.5), default=0)
    return {
        "size": [round(float(side), 4) for side in size[::-1]],
        "unit": unit,
        "meshes": meshes,
        "first": first,
        "electrodes": _surfaces(cell),
        "places": list(places),
        "groups": _groups(cell, pieces),
        "deepest": float(f"{deepest:.3g}"),
    }


def _groups(cell: Cell, pieces: Pieces) -> dict[str, Any]:
    """Which group each piece belongs to, and the groups' names and colours: by contact, by class."""
    found: dict[str, Any] = {}
    if cell.electrodes is not None:
        touched = pieces.touches @ np.array([1, 2])  # 0 neither, 1, 2, 3 both
        found["contact"] = {
            "of": np.array([3, 0, 1, 2])[touched].tolist(),
            "names": list(zip(_CONTACT, _COLOURS, strict=True)),
        }
    if len(cell.lithium) > 1:
        colours = ["#{:02x}{:02x}{:02x}".format(*class_colour(value)) for value in range(1, 1 + len(cell.classes))]
        of = pieces.table["classes"].argmax(axis=1).tolist()
        found["class"] = {"of": of, "names": list(zip(cell.classes, colours, strict=True))}
    return found


def _packed(mesh: Mesh, coarse: CoarseCell, named: np.ndarray, size: np.ndarray, deepest: float) -> dict[str, Any]:
    places = np.clip(np.round(mesh.vertices / size * 65535), 0, 65535)[:, ::-1]
    pieces = at_vertices(mesh, named, coarse.voxel_size)
    told: dict[str, Any] = {
        "vertices": packed(places, "uint16"),
        "faces": packed(mesh.faces[:, ::-1], "uint32"),
        "pieces": packed(np.where(pieces < 0, 65535, np.minimum(pieces, 65535)), "uint16"),
        "depths": None,
    }
    if coarse.distances is not None:
        depth = at_vertices(mesh, np.minimum(*coarse.distances), coarse.voxel_size)
        told["depths"] = packed(np.clip(depth / max(deepest, 1e-12) * 255, 0, 255), "uint8")
    return told


def _surfaces(cell: Cell) -> list[dict[str, Any]]:
    if cell.electrodes is None:
        return []
    axis, found = cell.electrodes.axis, []
    across = [other for other in range(3) if other != axis]
    rows, columns = (np.linspace(-0.5, cell.mask.shape[other] - 0.5, _GRID) for other in across)
    for surface in cell.electrodes.surfaces:
        points = np.empty((_GRID, _GRID, 3))
        points[..., axis] = surface.heights(rows, columns)
        points[..., across[0]], points[..., across[1]] = rows[:, None] + 0.5, columns + 0.5
        flat = (points * np.array(cell.voxel_size))[..., ::-1]
        found.append({"rows": _GRID, "points": [round(float(at), 3) for at in flat.ravel()]})
    return found


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
            title: _number(row[name]) if name != "class" else str(row[name])
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
        if picture.width > _WIDEST:
            picture = picture.resize(
                (_WIDEST, max(1, round(picture.height * _WIDEST / picture.width))), Image.Resampling.BOX
            )
        found.append((f"Slice {z} of {depth}", picture_url(picture.quantize(64) if picture.mode == "RGB" else picture)))
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

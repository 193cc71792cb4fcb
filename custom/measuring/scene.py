"""What the page's view in 3-D is given: surfaces of the lithium, both electrodes, where each piece lies and what it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from custom.base.colours import class_colour
from custom.cell_page.meshes import Mesh, Nearest, at_vertices, surface_mesh
from custom.cell_page.parts import packed
from custom.measuring.coarse import CoarseCell
from custom.measuring.found import Pieces
from custom.measuring.reading import Cell
from custom.pieces.measured import shapes

MOST_TRIANGLES = 250_000  # of all thresholds together
_TOLD_APART = 1 << 16  # pieces; the smaller ones are coloured as the last of them
_GRID = 25  # places along an electrode's surface
_CONTACT = ("the first electrode", "the second electrode", "both: a short circuit", "neither: dead")
_COLOURS = ("#56b4e9", "#e69f00", "#d55e00", "#cc79a7")  # Okabe and Ito's


def scene_of(
    cell: Cell,
    coarse: CoarseCell,
    pieces: Pieces,
    numbers: np.ndarray,
    count: int,
    unit: str,
    figures: Mapping[str, Any],
) -> dict[str, Any]:
    """The data of the page's script, see `custom.cell_page.script`.

    Args:
        numbers: int32, which piece each voxel of the copy belongs to, -1 none.
        count: of pieces that the table has, the largest, to which the view flies.
        unit: of the voxel size: um or voxels.
        figures: of quantities.json.
    """
    size = np.array(cell.mask.shape) * np.array(cell.voxel_size)
    levels = [row["threshold"] for row in figures.get("by_threshold") or ()]
    volume, top = (coarse.share, 1) if coarse.levels is None or not levels else (coarse.levels, 255)
    if volume is coarse.share:
        levels = [coarse.level]
    shown = min(range(len(levels)), key=lambda n: abs(levels[n] - 0.5))
    looks = _Looks(coarse, numbers, size) if (numbers >= 0).any() else None
    meshes = []
    for n, level in enumerate(levels):
        # the one that is seen first may have twice as many triangles as each of the others
        most = MOST_TRIANGLES * (1 + (n == shown)) // (1 + len(levels))
        mesh = surface_mesh(volume, level * top, coarse.voxel_size, most)
        if looks and len(mesh.faces):
            meshes.append({"threshold": level, **looks.packed(mesh)})
    first = min(range(len(meshes)), key=lambda n: abs(meshes[n]["threshold"] - 0.5), default=0)
    return {
        "size": [round(float(side), 4) for side in size[::-1]],
        "unit": unit,
        "meshes": meshes,
        "first": first,
        "electrodes": _surfaces(cell),
        "places": _places(pieces, cell, count),
        "groups": _groups(cell, pieces),
        "deepest": float(f"{looks.deepest if looks else 0:.3g}"),
    }


def _places(pieces: Pieces, cell: Cell, count: int) -> list[dict[str, Any]]:
    """Where the pieces of the table lie: x, y, z."""
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


def _groups(cell: Cell, pieces: Pieces) -> dict[str, Any]:
    """Which group each piece belongs to, and the groups' names and colours: by contact, by class."""
    found: dict[str, Any] = {}
    if cell.electrodes is not None:
        touched = pieces.touches[:_TOLD_APART] @ np.array([1, 2])  # 0 neither, 1, 2, 3 both
        found["contact"] = {
            "of": np.array([3, 0, 1, 2])[touched].tolist(),
            "names": list(zip(_CONTACT, _COLOURS, strict=True)),
        }
    if len(cell.lithium) > 1:
        colours = ["#{:02x}{:02x}{:02x}".format(*class_colour(value)) for value in range(1, 1 + len(cell.classes))]
        of = pieces.table["classes"][:_TOLD_APART].argmax(axis=1).tolist()
        found["class"] = {"of": of, "names": list(zip(cell.classes, colours, strict=True))}
    return found


class _Looks:
    """What the vertices of a surface are coloured by.

    Args:
        numbers: see `scene_of`; some voxel has one.
        size: of the stack, (z, y, x) in the voxel size's unit.
    """

    def __init__(self, coarse: CoarseCell, numbers: np.ndarray, size: np.ndarray) -> None:
        self._voxel_size, self._size = coarse.voxel_size, size
        self._pieces = Nearest(numbers, numbers >= 0, coarse.voxel_size)
        self._depths = coarse.depths()
        self.deepest = 0.0 if self._depths is None else float(self._depths[coarse.lithium].max(initial=0))

    def packed(self, mesh: Mesh) -> dict[str, Any]:
        """A surface as the page has it."""
        places = np.clip(np.round(mesh.vertices / self._size * 65535), 0, 65535)[:, ::-1]
        told: dict[str, Any] = {
            "vertices": packed(places, "uint16"),
            "faces": packed(mesh.faces[:, ::-1], "uint32"),
            "pieces": packed(np.minimum(self._pieces.at_vertices(mesh), _TOLD_APART - 1), "uint16"),
            "depths": None,
        }
        if self._depths is not None:
            depth = at_vertices(mesh, self._depths, self._voxel_size)
            told["depths"] = packed(np.clip(depth / max(self.deepest, 1e-12) * 255, 0, 255), "uint8")
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

"""The six faces of a cell as points in the raw grid: under its film, to a share of a voxel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from custom.region.fields import Field, joined_shape
from custom.region.gathering import Gathering, Height, Reach, end_lines, end_places
from custom.region.outline import Outline
from custom.region.profiles import Layers, Profiles, aligned, edges, layers_below
from custom.region.stations import single_slices, stations
from custom.region.surfaces import Surface, fitted
from custom.stack import Stack

Floats = NDArray[np.float64]

_NEAR = 2.0  # voxels around where an inner edge should lie
_DEEP = 0.35  # of the cell's thickness: how deep lines go
_INSET = 0.06  # of the height: how far from the ends stations lie
_LEAST_SHARE = 0.35  # of the lines that a face must show in
_CLEAR = 0.4  # of the large faces' slope: what an edge at a side or an end has at least
_ELECTRODE = (0.25, 0.75)  # of an electrode's depth: where its sides and ends are looked for


@dataclass(frozen=True)
class Scan:
    """Joined fields of view: `stacks`, where they lie (`fields`), and which voxels of their slices count (`inside`)."""

    stacks: Sequence[Stack]
    fields: Sequence[Field]
    inside: Sequence[NDArray[np.bool_]]


@dataclass(frozen=True)
class Faces:
    """What was found.

    Attributes:
        points: (n, 3) of (z, y, x) in the raw grid, for "first" and "last" along y, "left" and "right" along x, "low" and
            "high" along z; those that the volume does not hold are missing.
        layers: under the outer edge of both faces.
        thickness: between their outer edges, voxels.
        steep: the slope of these edges, grey values per voxel.
    """

    points: dict[str, Floats]
    layers: tuple[Layers, Layers]
    thickness: float
    steep: float


def faces_of(scan: Scan, outline: Outline, factor: int) -> Faces | None:
    """Find the faces of a cell whose rough outline is known, or None where its two large faces do not show."""
    rough = [outline.faces[name] for name in ("first", "last")]
    middle = [np.array([np.mean(outline.z)]), np.array([np.mean(outline.w)])]
    thickness = float((rough[1].at(*middle) - rough[0].at(*middle))[0])
    reach = Reach(2.0 * factor + 4, _DEEP * thickness)
    gathering = Gathering(outline, reach)
    inset = _INSET * (outline.z[1] - outline.z[0])
    for place in stations(scan.stacks, scan.fields, scan.inside, (outline.z[0] + inset, outline.z[1] - inset)):
        gathering.add(place)
    lines = gathering.gathered()
    sign = 1 if outline.edge > outline.air else -1
    outer, layers, steep, points = [], [], [], {}
    for name, side in zip(("first", "last"), lines[:2], strict=True):
        found = _face(side, reach, sign, thickness)
        if found is None:
            return None
        outer.append(found[0])
        layers.append(found[1])
        steep.append(found[3])
        points[name] = _raw(outline, side.first, found[2], side.second)
    faces = Faces(points, (layers[0], layers[1]), thickness, min(steep))
    rows = _electrode_rows(outer, layers)
    _add_sides(faces, lines[2:], outline, rows, reach, sign)
    _add_ends(faces, scan, outline, rows, reach, sign, factor)
    return faces


def _face(side: Profiles, reach: Reach, sign: int, thickness: float) -> tuple[Surface, Layers, Floats, float] | None:
    """The outer edge of a large face as a surface, the layers below it, where the electrode begins in each line, how steep."""
    slope = side.slopes()
    depth, steep = edges(slope, np.full(len(slope), reach.out), reach.out, sign)
    seen = np.isfinite(depth)
    if seen.mean() < _LEAST_SHARE:
        return None
    ranges = np.array([[axis.min(), axis.max()] for axis in (side.first, side.second)])
    outer = fitted(side.first[seen], side.second[seen], side.at(depth)[seen], 4, ranges)
    at = side.inward * (outer.at(side.first, side.second) - side.start)
    layers = layers_below(aligned(side, at, reach.out), reach.out, sign, thickness)
    found, _ = edges(slope, at + layers.face, _NEAR, layers.sign)
    return outer, layers, side.at(found), float(np.median(steep))


def _electrode_rows(outer: Sequence[Surface], layers: Sequence[Layers]) -> list[Height]:
    """Heights within the electrodes: their sides and ends show best there, where the film's edge is the same all along."""
    rows: list[Height] = []
    for surface, layer, inward in zip(outer, layers, (1, -1), strict=True):
        top = layer.face
        bottom = layer.inner if layer.inner is not None else top + 10.0
        for share in np.linspace(*_ELECTRODE, 4):
            depth = inward * (top + share * (bottom - top))
            rows.append(lambda z, w, surface=surface, depth=depth: surface.at(z, w) + depth)  # type: ignore[misc]
    return rows


def _add_sides(
    faces: Faces, lines: Sequence[Profiles], outline: Outline, rows: Sequence[Height], reach: Reach, sign: int
) -> None:
    """The sides, from the lines that run through an electrode."""
    for name, side in zip(("left", "right"), lines, strict=True):
        w = side.start + side.inward * reach.out
        top = [rows[first](side.first, w) for first in (0, 4)]
        bottom = [rows[first](side.first, w) for first in (3, 7)]
        within = ((side.second > top[0]) & (side.second < bottom[0])) | (
            (side.second < top[1]) & (side.second > bottom[1])
        )
        chosen = _lines(side, within)
        edge = _under_film(chosen, faces, np.full(len(chosen.values), reach.out), reach.out, sign)
        if edge is not None:
            faces.points[name] = _raw(outline, chosen.first, chosen.second, edge)


def _add_ends(
    faces: Faces, scan: Scan, outline: Outline, rows: Sequence[Height], reach: Reach, sign: int, factor: int
) -> None:
    """Both ends, where air is beyond them."""
    depth = joined_shape(scan.fields)[0]
    for name, limit, inward in (("low", outline.z[0], 1), ("high", outline.z[1], -1)):
        if min(limit, depth - 1 - limit) < factor and not 0 <= limit - inward * factor < depth:
            continue
        n, w = end_places(outline, rows, limit)
        end = outline.faces[name].at(n, w)
        far, near = (end.min(), end.max()) if inward > 0 else (end.max(), end.min())
        reached = far - inward * reach.out, near + inward * min(reach.deep, reach.out + 12)
        slices = single_slices(scan.stacks, scan.fields, scan.inside, reached)
        lines = end_lines(slices, outline, (n, w), inward)
        edge = _under_film(lines, faces, inward * (end - lines.start), reach.out, sign)
        if edge is not None:
            faces.points[name] = _raw(outline, edge, lines.first, lines.second)


def _under_film(lines: Profiles, faces: Faces, around: Floats, window: float, sign: int) -> Floats | None:
    """Where the cell begins under a film as thick as on the large faces; None where no edge shows.

    Args:
        lines: into a side or an end.
        faces: what is known of the large ones.
        around: depth in each line at which the outer edge should lie.
        window: voxels by which that may be wrong.
        sign: of the outer edge.
    """
    slope = lines.slopes()
    depth, steep = edges(slope, around, window, sign)
    seen = np.isfinite(depth)
    if not len(seen) or seen.mean() < _LEAST_SHARE or np.median(steep) < _CLEAR * faces.steep:
        return None
    outer = fitted(lines.first[seen], lines.second[seen], lines.at(depth)[seen], 1)
    at = lines.inward * (outer.at(lines.first, lines.second) - lines.start)
    film = float(np.mean([layer.face for layer in faces.layers]))
    found, _ = edges(slope, at + film, _NEAR, faces.layers[0].sign)
    return lines.at(found)


def _lines(profiles: Profiles, chosen: NDArray[np.bool_]) -> Profiles:
    return replace(
        profiles,
        values=profiles.values[chosen],
        start=profiles.start[chosen],
        first=profiles.first[chosen],
        second=profiles.second[chosen],
    )


def _raw(outline: Outline, z: Floats, n: Floats, w: Floats) -> Floats:
    """(n, 3) points of the raw grid, those that are known."""
    y, x = outline.frame.raw(n, w)
    points = np.stack(np.broadcast_arrays(z, y, x), axis=-1)
    found: Floats = points[np.isfinite(points).all(axis=1)]
    return found

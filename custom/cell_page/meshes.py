"""Lithium as a surface of triangles, small enough for a page."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyfqmr
from scipy import ndimage
from scipy.spatial import KDTree
from skimage.measure import marching_cubes

Lengths = tuple[float, float, float]


@dataclass(frozen=True)
class Mesh:
    """A surface.

    Attributes:
        vertices: float32 (n, 3), z, y, x in the voxel size's unit; the stack begins at 0.
        faces: int32 (m, 3), of a triangle's vertices, seen from outside against the clock.
    """

    vertices: np.ndarray
    faces: np.ndarray


EMPTY = Mesh(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int32))


_BLOCK = 500_000  # voxels that are simplified at once: some 150,000 triangles of dense lithium
# Triangles, all blocks together, that are simplified at once in the end: pyfqmr takes 400 bytes for each, and keeps as much as
# for the most that it ever had.
_MOST = 250_000
_SPARE = 1.25  # times the triangles that are wanted, where that is more
_LAYER = 64  # slices


def surface_mesh(volume: np.ndarray, level: float, voxel_size: Lengths, most: int) -> Mesh:
    """Where a volume passes a level, closed at the sides of the stack.

    Of more than `most` triangles it is simplified: the edges go that move the surface least, by quadrics (M. Garland and
    P. Heckbert, SIGGRAPH 1997); first block by block along z, the edges of blocks kept, then all of it.

    Args:
        volume: (Z, Y, X), high within.
        level: of the surface, above 0.
        voxel_size: (z, y, x).
        most: triangles.
    """
    level = level * (1 - 1e-6)  # a voxel of just that level is within
    total = sum(len(block.faces) for block in _blocks(volume, level))
    kept = min(max(_MOST, _SPARE * most) / max(total, 1), 1) if total > most else 1
    # made a second time, since all of them at once would be as large as the volume
    found = [
        block if kept == 1 else _simplified(block, round(kept * len(block.faces)), sides_stay=True)
        for block in _blocks(volume, level)
    ]
    whole = _joined(found) if found else EMPTY
    if len(whole.faces) > most:
        whole = _simplified(whole, most, sides_stay=False)
    return Mesh((whole.vertices * np.array(voxel_size)).astype(np.float32), whole.faces)


def _blocks(volume: np.ndarray, level: float) -> Iterator[Mesh]:
    """Surfaces of blocks of slices, in voxels; neighbours have a slice in common, and what the surface has in it."""
    height = max(1, _BLOCK // volume[0].size)
    for start in range(-1, len(volume), height):  # closed where the stack ends
        low, high = max(start, 0), min(start + height, len(volume))
        ends = (int(start < 0), int(start + height >= len(volume)))
        block = np.pad(volume[low : high + 1], [ends, (1, 1), (1, 1)])
        if block.max() >= level:
            vertices, faces, _, _ = marching_cubes(block.astype(np.float32), level)
            # a voxel's middle lies half a voxel from where it begins
            places = vertices + np.array([start + 0.5, -0.5, -0.5])
            yield Mesh(places.astype(np.float32), faces.astype(np.int32))


def _simplified(mesh: Mesh, most: int, sides_stay: bool) -> Mesh:
    work = pyfqmr.Simplify()
    work.setMesh(mesh.vertices, mesh.faces)
    work.simplify_mesh(target_count=most, aggressiveness=7, preserve_border=sides_stay, verbose=False)
    vertices, faces, _ = work.getMesh()
    return Mesh(vertices.astype(np.float32), faces.astype(np.int32))


def _joined(meshes: Sequence[Mesh]) -> Mesh:
    """One mesh of several, with one vertex where theirs are in the same place."""
    first = np.cumsum([0, *(len(mesh.vertices) for mesh in meshes)])
    vertices = np.concatenate([mesh.vertices for mesh in meshes])
    faces = np.concatenate([mesh.faces + start for mesh, start in zip(meshes, first.tolist(), strict=False)])
    places, of = np.unique(vertices, axis=0, return_inverse=True)
    return Mesh(places, of.reshape(-1)[faces].astype(np.int32))


def at_vertices(mesh: Mesh, values: np.ndarray, voxel_size: Lengths) -> np.ndarray:
    """A volume's values at a mesh's vertices: those of the voxel that each lies in."""
    place = np.clip((mesh.vertices / np.array(voxel_size)).astype(int), 0, np.array(values.shape) - 1)
    return np.asarray(values[tuple(place.T)])


class Nearest:
    """Values that some voxels of a volume have, for places near them.

    Args:
        values, known: (Z, Y, X).
        voxel_size: (z, y, x).
    """

    def __init__(self, values: np.ndarray, known: np.ndarray, voxel_size: Lengths) -> None:
        self._values, self._size = values, np.array(voxel_size)
        self._known = known & ~ndimage.binary_erosion(
            known, border_value=1
        )  # what lies deeper is nearest to no surface

    def at_vertices(self, mesh: Mesh) -> np.ndarray:
        """Of each vertex the value of the nearest voxel that has one; there is one."""
        found = np.empty(len(mesh.vertices), self._values.dtype)
        layer = (mesh.vertices[:, 0] // (_LAYER * self._size[0])).astype(int)
        for n in np.unique(layer).tolist():  # a tree of all voxels would be the largest of all that a page is made of
            at = layer == n
            found[at] = self._nearest(mesh.vertices[at], n * _LAYER)
        return found

    def _nearest(self, places: np.ndarray, start: int) -> np.ndarray:
        """Of places within a layer of slices, looked for in slices around it, in more where one beyond may be nearer."""
        around = _LAYER // 4
        while True:
            low, high = max(start - around, 0), min(start + _LAYER + around, len(self._known))
            voxels = np.argwhere(self._known[low:high]) + (low, 0, 0)
            if len(voxels):
                distances, of = KDTree((voxels + 0.5) * self._size).query(places)
                if distances.max() <= around * self._size[0] or high - low == len(self._known):
                    return np.asarray(self._values[tuple(voxels[of].T)])
            around *= 4


def ply_of(mesh: Mesh) -> bytes:
    """As a binary PLY, x, y, z."""
    head = (
        "ply\nformat binary_little_endian 1.0\n"
        f"element vertex {len(mesh.vertices)}\nproperty float x\nproperty float y\nproperty float z\n"
        f"element face {len(mesh.faces)}\nproperty list uchar int vertex_indices\nend_header\n"
    )
    faces = np.empty(len(mesh.faces), np.dtype([("count", "u1"), ("corners", "<i4", 3)]))
    faces["count"], faces["corners"] = 3, mesh.faces[:, ::-1]  # turned about with the axes
    return head.encode("ascii") + mesh.vertices[:, ::-1].astype("<f4").tobytes() + faces.tobytes()


def volume_of(mesh: Mesh) -> float:
    """What it encloses."""
    a, b, c = (mesh.vertices[mesh.faces[:, corner]].astype(float) for corner in range(3))
    return abs(math.fsum((a * np.cross(b, c)).sum(axis=1))) / 6

"""Lithium as a surface of triangles, small enough for a page."""

from __future__ import annotations

import math
from dataclasses import dataclass

import fast_simplification
import numpy as np
from scipy import ndimage
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


def surface_mesh(share: np.ndarray, level: float, voxel_size: Lengths, most: int) -> Mesh:
    """Where a volume passes a level, closed at the sides of the stack.

    Of more than `most` triangles it is simplified: the edges go that move the surface least, by quadrics (M. Garland and
    P. Heckbert, SIGGRAPH 1997).

    Args:
        share: float32 (Z, Y, X), high within.
        level: of the surface, in (0, 1).
        voxel_size: (z, y, x).
        most: triangles.
    """
    if not (share >= level).any():
        return EMPTY
    vertices, faces, _, _ = marching_cubes(np.pad(share, 1), level)  # closed where the stack ends
    if len(faces) > most:
        vertices, faces = fast_simplification.simplify(vertices, faces, target_count=most)
    # a voxel's middle lies half a voxel from where it begins
    return Mesh(((vertices - 0.5) * np.array(voxel_size)).astype(np.float32), faces.astype(np.int32))


def at_vertices(mesh: Mesh, values: np.ndarray, voxel_size: Lengths) -> np.ndarray:
    """A volume's values at a mesh's vertices: those of the voxel that each lies in."""
    place = np.clip((mesh.vertices / np.array(voxel_size)).astype(int), 0, np.array(values.shape) - 1)
    return np.asarray(values[tuple(place.T)])


def spread(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """A volume in which every voxel has the value of the nearest one that is known."""
    if known.all() or not known.any():
        return values
    nearest = ndimage.distance_transform_edt(~known, return_distances=False, return_indices=True)
    return np.asarray(values[tuple(nearest)])


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

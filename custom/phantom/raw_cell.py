"""The cell of a raw scan as formulae: layers and balls that can be asked at any point, not voxels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from custom.phantom.growth import NECK, STEP, Balls, agglomerate, dendrite
from custom.phantom.layers import GRID, CellParameters, waves
from custom.phantom.raw_map import Shape

MOSS, BODY, STEM, HOLLOW, GRAIN = range(5)  # what a ball is of: redeposited lithium, dendrite, its neck, pit, impurity

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class RawCell:
    """A cell in its own voxels: lithium, polymer, lithium along y, within the box from -0.5 to n - 0.5.

    Attributes:
        shape: (nz, ny, nx).
        interfaces: y of the upper and the lower interface at each (z, x), (2, nz, nx).
        balls: (N, 4), centre z, y, x and radius.
        kinds: (N,), one of the five constants above.
        texture: (M, 4), wave numbers along z, y, x and phase of the waves that roughen outlines and pores.
        roughness: of every outline, standard deviation in voxels.
        tab: (2, 3), first and last corner of the metal strip that leaves the cell beyond its last slice.
    """

    shape: Shape
    interfaces: Floats
    balls: Balls
    kinds: NDArray[np.uint8]
    texture: NDArray[np.float64]
    roughness: float
    tab: NDArray[np.float64]


def grow_cell(rng: np.random.Generator, seed: int, shape: Shape, beyond: int) -> RawCell:
    """Grow a cell of this shape whose tab reaches `beyond` voxels past its last slice."""
    parameters = CellParameters.draw(rng, seed)
    electrode = parameters.electrode * shape[1] / GRID[0]
    faces = _interfaces(rng, parameters, electrode, shape)
    parts = [*_lithium(rng, parameters, faces, shape), *_pits(rng, parameters, faces), *_grains(rng, parameters, shape)]
    kinds = np.concatenate([np.full(len(balls), kind, np.uint8) for kind, balls in parts])
    nz, ny, nx = shape
    left, thick = rng.uniform(0.15, 0.6) * nx, max(1.5, 0.1 * electrode)
    y = rng.choice([electrode / 2, ny - 1 - electrode / 2])
    tab = np.array([[nz - 0.5, y - thick / 2, left], [nz + beyond, y + thick / 2, left + 0.2 * nx]])
    balls = np.concatenate([balls for _, balls in parts])
    return RawCell(shape, faces, balls, kinds, _texture(rng), parameters.roughness, tab)


def _interfaces(rng: np.random.Generator, p: CellParameters, electrode: float, shape: Shape) -> Floats:
    z, x = np.arange(shape[0], dtype=np.float32)[:, None], np.arange(shape[2], dtype=np.float32)
    thick = [
        electrode - 0.5 + p.waviness * waves(rng, z, x, 90, 400) + p.roughness * waves(rng, z, x, 10, 40)
        for _ in range(2)
    ]
    return np.stack([thick[0], shape[1] - 1 - thick[1]]).astype(np.float32)


def _lithium(rng: np.random.Generator, p: CellParameters, faces: Floats, shape: Shape) -> list[tuple[int, Balls]]:
    """Dendrites and agglomerates about hot spots, until their volume is about the share that the cell aims for."""
    nz, ny, nx = shape
    small = min(1.0, float(np.mean(faces[1] - faces[0])) / 80)
    spots = rng.uniform((0, 0), (nz, nx), (max(2, round(nz * nx / 12000)), 2))
    parts: list[tuple[int, Balls]] = []
    aim, grown = p.lithium * nz * ny * nx, 0.0
    while grown < aim:
        z, x = spots[rng.integers(len(spots))] + (8 + 700 * p.lithium) * rng.standard_normal(2)
        if not (0 < z < nz - 1 and 0 < x < nx - 1):
            continue
        if rng.random() < p.mossy:
            moss = agglomerate(rng, *small * rng.uniform((4, 8), (8, 40)))
            parts.append((MOSS, _on(moss, rng, faces, z, x)))
            grown += 0.45 * 4 / 3 * np.pi * float((moss[:, 3] ** 3).sum())  # balls share about half of their volume
        else:
            balls = dendrite(rng, *small * rng.uniform((4.5, 25), (7, 65)))
            grown += np.pi * STEP * float((balls[:, 3] ** 2).sum())
            placed = _on(balls, rng, faces, z, x)
            parts += [(STEM, placed[:NECK]), (BODY, placed)]
    return parts


def _pits(rng: np.random.Generator, p: CellParameters, faces: Floats) -> list[tuple[int, Balls]]:
    """Flat cavities in the electrodes, below the interface."""
    nz, nx = faces.shape[1:]
    parts = []
    for _ in range(round(p.pits * nz * nx / (24 * GRID[1]))):
        radius = rng.uniform(4, 9)
        centres = rng.standard_normal((5, 3)) * radius * 0.7
        centres[:, 1] = rng.uniform(-1.0, -0.4, 5) * radius
        pit = np.column_stack([centres, np.full(5, radius)])
        parts.append((HOLLOW, _on(pit, rng, faces, rng.uniform(0, nz - 1), rng.uniform(0, nx - 1))))
    return parts


def _grains(rng: np.random.Generator, p: CellParameters, shape: Shape) -> list[tuple[int, Balls]]:
    """Small dense impurities anywhere."""
    number = round(p.impurities * np.prod(np.array(shape, float)) / (24 * GRID[0] * GRID[1]))
    return [(GRAIN, np.column_stack([rng.uniform(0, 1, (number, 3)) * shape, rng.uniform(1.5, 3.2, number)]))]


def _on(balls: Balls, rng: np.random.Generator, faces: Floats, z: float, x: float) -> Balls:
    """Move a shape that grows from y = 0 onto one of the two interfaces at (z, x)."""
    lower = int(rng.integers(2))
    return balls * [1, 1 - 2 * lower, 1, 1] + [z, float(faces[lower, int(z), int(x)]), x, 0]


def _texture(rng: np.random.Generator) -> NDArray[np.float64]:
    """Waves of 7 to 20 voxels in all directions: about the structure of white noise blurred by two voxels."""
    direction = rng.standard_normal((14, 3))
    number = 2 * np.pi / np.exp(rng.uniform(np.log(7), np.log(20), 14))
    waves_along = direction * (number / np.linalg.norm(direction, axis=1))[:, None]
    return np.column_stack([waves_along, rng.uniform(0, 2 * np.pi, 14)])

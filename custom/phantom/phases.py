"""The phase map of a synthetic Li-polymer-Li cell: electrode, polymer, electrode, and what grows between them."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from custom.phantom.growth import NECK, REACH, agglomerate, dendrite, solid
from custom.phantom.layers import (
    DENDRITE,
    EDGE,
    ELECTRODE,
    GRID,
    IMPURITY,
    OUTSIDE,
    PIT,
    POLYMER,
    REDEPOSITED,
    CellParameters,
    Floats,
    Phases,
    Surfaces,
    correlated_noise,
    interfaces,
    stand_on,
)

DISK = ndimage.iterate_structure(ndimage.generate_binary_structure(2, 1), 2)[None]  # five voxels across, within a slice
SPECK = 25  # voxels: the smallest piece of lithium in a slice
GAP = 4.0  # voxels of polymer between an electrode and whatever does not stand on it by a neck


def phase_map(parameters: CellParameters, rng: np.random.Generator, slices: int) -> Phases:
    """Grow a cell and return its phases, uint8 (Z, Y, X) on the grid, one of the seven constants above per voxel."""
    top, bottom, rise = interfaces(parameters, rng, slices)
    y = np.arange(GRID[0], dtype=np.float32)[:, None]
    height = np.minimum(y - top[:, None], bottom[:, None] - y)  # above the nearer electrode, (Z, Y, X)
    inside = (y >= rise + parameters.margin) & (y < rise + GRID[0] - parameters.margin)
    phases = np.where(height > 0, POLYMER, np.where(inside, ELECTRODE, OUTSIDE)).astype(np.uint8)
    wobble = np.clip(parameters.roughness * correlated_noise(rng, phases.shape, 1.8), -REACH / 2, REACH / 2)
    _dig_pits(phases, parameters, rng, (top, bottom), wobble)
    _grow_lithium(phases, parameters, rng, (top, bottom), height >= GAP, wobble)
    _clear_specks(phases)
    _scatter_impurities(phases, parameters, rng, wobble)
    return phases


def _dig_pits(phases: Phases, p: CellParameters, rng: np.random.Generator, surfaces: Surfaces, wobble: Floats) -> None:
    """Flat cavities in the electrodes, below the interface."""
    for _ in range(round(p.pits * (len(phases) + 24) / 24)):
        radius = rng.uniform(4, 9)
        centres = rng.standard_normal((5, 3)) * radius * 0.7
        centres[:, 1] = rng.uniform(-1.0, -0.4, 5) * radius
        place = rng.uniform(-12, len(phases) + 12), rng.uniform(0, GRID[1])
        box, pit = solid(stand_on(np.column_stack([centres, np.full(5, radius)]), rng, surfaces, *place), wobble)
        phases[box][pit & (phases[box] == ELECTRODE)] = PIT
    pits = phases == PIT
    phases[pits & ~ndimage.binary_opening(pits, DISK)] = ELECTRODE


def _grow_lithium(
    phases: Phases,
    p: CellParameters,
    rng: np.random.Generator,
    surfaces: Surfaces,
    free: NDArray[np.bool_],
    wobble: Floats,
) -> None:
    """Add dendrites and agglomerates one by one until their share of the field of view is what the cell aims for.

    They gather around two hot spots; one that would overshoot is left out and another is tried. Only a neck may
    touch an electrode: the rest stays `free`, so that the interface remains visible beside it.
    """
    view = np.zeros(GRID[1], bool)
    view[EDGE:-EDGE] = True
    aim, grown = p.lithium * phases[:, :, view].size, 0
    hot_spots, spread = rng.uniform(EDGE, GRID[1] - EDGE, 2), 8.0 + 700.0 * p.lithium
    for _ in range(100 + 20 * len(phases)):
        if grown >= 0.9 * aim:
            break
        mossy = rng.random() < p.mossy
        low, high = ((4, 8), (8, 40)) if mossy else ((4.5, 25), (7, 65))
        shape = agglomerate(rng, *rng.uniform(low, high)) if mossy else dendrite(rng, *rng.uniform(low, high))
        place = rng.uniform(-10, len(phases) + 10), rng.choice(hot_spots) + spread * rng.standard_normal()
        balls = stand_on(shape, rng, surfaces, *place)
        box, body = solid(balls, 1.5 * wobble)
        body &= free[box]
        if not mossy:
            neck_box, neck = solid(balls[:NECK], wobble)
            within = tuple(slice(n.start - b.start, n.stop - b.start) for n, b in zip(neck_box, box, strict=True))
            body[within] |= neck
        body &= phases[box] == POLYMER
        added = int(body[:, :, view[box[2]]].sum())
        if 0 < added < 1.15 * aim - grown:
            phases[box][body] = REDEPOSITED if mossy else DENDRITE
            grown += added


def _clear_specks(phases: Phases) -> None:
    """Turn lithium that nobody could label back to polymer: thinner than five voxels in its slice, or a mere speck."""
    lithium = np.isin(phases, (DENDRITE, REDEPOSITED))
    solids = lithium | (phases == ELECTRODE)
    kept = lithium & ndimage.binary_opening(solids, DISK)
    pieces, _ = ndimage.label(kept, ndimage.generate_binary_structure(3, 1) & np.array([0, 1, 0], bool)[:, None, None])
    area = np.bincount(pieces.ravel())
    phases[lithium & ~(kept & (area[pieces] >= SPECK))] = POLYMER


def _scatter_impurities(phases: Phases, p: CellParameters, rng: np.random.Generator, wobble: Floats) -> None:
    """Small dense grains in the polymer and the electrodes; never on lithium that is labelled."""
    for _ in range(round(p.impurities * (len(phases) + 10) / 24)):
        centre = rng.uniform((-5, 0, 0), (len(phases) + 5, *GRID))
        box, grain = solid(np.array([[*centre, rng.uniform(1.5, 3.2)]]), wobble)
        phases[box][grain & np.isin(phases[box], (ELECTRODE, POLYMER))] = IMPURITY

"""The phase map of a hard cell, and what part of each voxel is pores or gas."""

import numpy as np
from scipy import ndimage

from custom.phantom.ground import LOWER, UPPER, Ground
from custom.phantom.growth import REACH, solid
from custom.phantom.hard_growth import grow_lithium
from custom.phantom.hard_shape import HardParameters
from custom.phantom.layers import (
    DENDRITE,
    ELECTRODE,
    GRID,
    IMPURITY,
    OUTSIDE,
    PIT,
    POLYMER,
    REDEPOSITED,
    Floats,
    Phases,
    correlated_noise,
    interfaces,
)


def hard_map(p: HardParameters, rng: np.random.Generator, slices: int) -> tuple[Phases, Floats]:
    """Grow a cell and return its phases, uint8 (Z, Y, X) on the grid, and the share of each voxel as `Ground` has it."""
    top, bottom, rise = interfaces(p, rng, slices)
    y = np.arange(GRID[0], dtype=np.float32)[:, None]
    inside = (y >= rise + p.margin) & (y < rise + GRID[0] - p.margin)
    between = (y > top[:, None]) & (y < bottom[:, None])
    phases = np.where(between, POLYMER, np.where(inside, ELECTRODE, OUTSIDE)).astype(np.uint8)
    wobble = np.clip(p.roughness * correlated_noise(rng, phases.shape, 1.8), -REACH / 2, REACH / 2)
    side = np.where(phases == ELECTRODE, np.where(y < GRID[0] // 2, UPPER, LOWER), 0).astype(np.uint8)
    ground = Ground(phases, np.zeros(phases.shape, np.float32), side, (top, bottom), wobble)
    _dig_pits(ground, p, rng)
    grow_lithium(ground, p, rng)
    _open_pores(ground, rng)
    _blow_bubbles(ground, p, rng)
    _scatter_grains(ground, p, rng)
    _roughen(ground, rng)
    return ground.phases, ground.share


def _dig_pits(ground: Ground, p: HardParameters, rng: np.random.Generator) -> None:
    """Hollows of the electrodes that have filled with lithium as porous as a dendrite's: only their place tells."""
    slices = len(ground.phases)
    for _ in range(round(p.pits * (slices + 24) / 24)):
        radius = p.zoom * rng.uniform(2.5, 9)
        centres = rng.standard_normal((6, 3)) * radius * [0.7, 0.4, 0.9]
        centres[:, 1] = rng.uniform(-1.2, -0.1, 6) * radius
        z, x = rng.uniform(-12, slices + 12), rng.uniform(0, GRID[1])
        upside, y, _ = ground.foot(rng, z, x)
        place = centres * [1, 1 if upside else -1, 1] + [z, y, x]
        balls = np.column_stack([place, radius * rng.uniform(0.4, 1.0, 6)])
        ground.lay(balls, PIT, ELECTRODE, rng.uniform(0, p.porous))


def _open_pores(ground: Ground, rng: np.random.Generator) -> None:
    """Pores of some voxels inside thick lithium, filled with polymer."""
    lithium = np.isin(ground.phases, (DENDRITE, REDEPOSITED))
    pores = ndimage.binary_erosion(lithium) & (correlated_noise(rng, lithium.shape, 1.2) > 1.5)
    ground.phases[pores], ground.share[pores] = POLYMER, 0


def _blow_bubbles(ground: Ground, p: HardParameters, rng: np.random.Generator) -> None:
    """Round voids in the polymer, as dark as porous lithium where they are small or half full."""
    slices = len(ground.phases)
    for _ in range(round(p.bubbles * (slices + 10) / 24)):
        centre, radius = rng.uniform((-5, 0, 0), (slices + 5, *GRID)), p.zoom * rng.uniform(1.5, 5)
        box, gas = solid(np.array([[*centre, radius]]), np.zeros_like(ground.wobble))
        ground.share[box][gas & (ground.phases[box] == POLYMER)] = rng.uniform(0.3, 0.9)


def _scatter_grains(ground: Ground, p: HardParameters, rng: np.random.Generator) -> None:
    """Dense grains in the polymer and the electrodes, a few of them large; never on lithium."""
    slices = len(ground.phases)
    for number, low, high in ((p.impurities, 1.0, 2.8), (p.metal, 3.0, 5.0)):
        for _ in range(round(number * (slices + 10) / 24)):
            centre, radius = rng.uniform((-5, 0, 0), (slices + 5, *GRID)), rng.uniform(low, high)
            for onto in (ELECTRODE, POLYMER):
                ground.lay(np.array([[*centre, radius]]), IMPURITY, onto, 0.0)


def _roughen(ground: Ground, rng: np.random.Generator) -> None:
    """Pores are uneven, and polymer and electrodes not quite even."""
    uneven = 1 + 0.5 * correlated_noise(rng, ground.share.shape, 2.0)
    cloudy = np.abs(correlated_noise(rng, ground.share.shape, 10.0)) * 0.06
    plain = np.isin(ground.phases, (ELECTRODE, POLYMER)) & (ground.share == 0)
    np.copyto(ground.share, np.clip(np.where(plain, cloudy, ground.share * uneven), 0, 0.9))

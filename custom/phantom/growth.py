"""Lithium that grows in the polymer of a synthetic cell: shapes made of overlapping balls.

A shape is an (N, 4) array of balls: centre z, y, x and radius, all in voxels. Shapes grow from the plane y = 0, the
electrode, towards larger y; the caller moves and flips them into place.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Balls = NDArray[np.float64]
Box = tuple[slice, slice, slice]

STEP = 1.5  # voxels between the balls of a branch: below half the smallest radius, so that the outline has no beads
THINNEST = 3.2  # smallest radius in voxels: nothing that is labelled is thinner than about six voxels
NECK = 8  # number of balls, the first ones of a dendrite, that make its neck
REACH = 6.0  # voxels: largest displacement of a surface
BEND = np.array([0.06, 0.16, 0.16])  # change of direction per STEP; less along z, so that a slice shows long pieces


@dataclass(frozen=True)
class Habit:
    """How a dendrite grows; lengths in voxels."""

    thinnest: float = THINNEST  # radius
    step: float = STEP
    forks: float = 0.06  # chance of a branch per step
    taper: float = 0.45  # share of its radius that a branch loses on the way to its tip
    lift: float = 0.02  # pull per step away from the electrode


STURDY = Habit()


def dendrite(rng: np.random.Generator, radius: float, length: float, habit: Habit = STURDY) -> Balls:
    """A branching dendrite: a persistent random walk that leaves y = 0 upright through a neck and tapers to its tips.

    Args:
        rng: source of all draws.
        radius: of the thickest branch, voxels.
        length: of the main stem, voxels; each branch is shorter than the one it leaves.
        habit: how it grows.
    """
    bend, lift = BEND * np.sqrt(habit.step / STEP), np.array([0.0, habit.lift * habit.step / STEP, 0.0])
    neck = STEP * (np.arange(NECK) - 3.0)
    balls = [np.stack([0 * neck, neck, 0 * neck, np.full_like(neck, max(habit.thinnest, 0.7 * radius))], axis=1)]
    branches = [(np.array([0.0, neck[-1], 0.0]), np.array([0.0, 1.0, 0.0]), radius, length)]
    while branches:
        position, direction, thickness, reach = branches.pop()
        steps = max(2, round(reach / habit.step))
        walk = np.empty((steps, 4))
        for step in range(steps):
            direction = _unit(direction + bend * rng.standard_normal(3) + lift)
            position = position + habit.step * direction
            walk[step] = *position, max(habit.thinnest, thickness * (1.0 - habit.taper * step / steps))
            if thickness > habit.thinnest and step > 3 and rng.random() < habit.forks:
                aside = _unit(direction + 8.0 * BEND * rng.standard_normal(3))
                branches.append((position, aside, 0.8 * walk[step, 3], 0.6 * (reach - step * habit.step) + 8.0))
        balls.append(walk)
    return np.concatenate(balls)


def agglomerate(rng: np.random.Generator, size: float, height: float) -> Balls:
    """A mossy lump of redeposited lithium: balls scattered about a centre `height` voxels above y = 0.

    Args:
        rng: source of all draws.
        size: standard deviation of the balls' centres, voxels; the lump is wider than it is high.
        height: of the lump's centre, voxels.
    """
    number = int(rng.integers(8, 20))
    centres = rng.standard_normal((number, 3)) * size * np.array([1.0, 0.55, 1.3]) + np.array([0.0, height, 0.0])
    return np.column_stack([centres, rng.uniform(0.5, 0.9, number) * size + THINNEST])


def solid(balls: Balls, wobble: NDArray[np.float32]) -> tuple[Box, NDArray[np.bool_]]:
    """The box (Z, Y, X) around the balls, clipped to the volume, and which of its voxels lie inside them.

    Args:
        balls: where to, in the coordinates of the volume; what sticks out of the volume is left out.
        wobble: displacement of the surface, voxels, outwards positive, for the whole volume; below REACH everywhere.
    """
    low = np.floor((balls[:, :3] - balls[:, 3:]).min(axis=0) - REACH).astype(int)
    high = np.ceil((balls[:, :3] + balls[:, 3:]).max(axis=0) + REACH).astype(int)
    low, high = (np.clip(corner, 0, wobble.shape) for corner in (low, high))
    depth = np.full(high - low, -np.inf, np.float32)  # below the surface, voxels: radius - distance to the centre
    for *centre, radius in balls - [*low, 0]:
        start = np.clip(np.ceil(np.array(centre) - radius - REACH), 0, depth.shape).astype(int)
        stop = np.clip(np.floor(np.array(centre) + radius + REACH) + 1, 0, depth.shape).astype(int)
        z, y, x = (np.arange(a, b, dtype=np.float32) - c for a, b, c in zip(start, stop, centre, strict=True))
        window = depth[start[0] : stop[0], start[1] : stop[1], start[2] : stop[2]]
        np.maximum(window, radius - np.sqrt(z[:, None, None] ** 2 + y[:, None] ** 2 + x**2), out=window)
    box = (slice(low[0], high[0]), slice(low[1], high[1]), slice(low[2], high[2]))
    return box, depth + wobble[box] > 0


def _unit(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    return vector / np.linalg.norm(vector)

"""The lithium of a hard cell: thin, porous dendrites, some across the polymer, some without contact, and moss."""

import numpy as np

from custom.phantom.ground import LOWER, NEITHER, UPPER, VIEW, Ground
from custom.phantom.growth import Balls, Habit, agglomerate, dendrite
from custom.phantom.hard_shape import HardParameters
from custom.phantom.layers import DENDRITE, GRID, REDEPOSITED

FINE = Habit(thinnest=1.0, step=0.75, forks=0.03, taper=0.7)  # branches down to 2 voxels across
ACROSS = Habit(thinnest=1.2, step=0.75, forks=0.025, taper=0.5, lift=0.08)

NEAREST = 2.5  # voxels of polymer between what does not touch
ASIDE = 30.0  # voxels that the far end of a crossing dendrite lies at most beside its foot


def grow_lithium(ground: Ground, p: HardParameters, rng: np.random.Generator) -> None:
    """Grow what crosses, then one structure after the other until lithium's share of the view is what the cell aims for.

    Half of them gather around two hot spots. One that would overshoot is left out and another is tried.
    """
    slices = len(ground.phases)
    aim, grown = p.lithium * ground.phases[:, :, VIEW].size, 0
    for _ in range(p.crossing):
        place = rng.uniform(0, slices), rng.uniform(VIEW.start + ASIDE, VIEW.stop - ASIDE)
        balls, side = _across(ground, p, rng, *place)
        grown += ground.grow(balls, DENDRITE, side, rng.uniform(0, p.porous), max(0.0, p.left))
    hot_spots, spread = rng.uniform(VIEW.start, VIEW.stop, 2), 8.0 + 500.0 * p.lithium
    for _ in range(100 + 20 * slices):
        if grown >= 0.9 * aim:
            break
        kind = rng.choice(
            ("moss", "dead", "standing"), p=(p.mossy, (1 - p.mossy) * p.dead, (1 - p.mossy) * (1 - p.dead))
        )
        hot = rng.random() < 0.5
        x = rng.choice(hot_spots) + spread * rng.standard_normal() if hot else rng.uniform(0, GRID[1])
        balls, side = _structure(ground, p, rng, str(kind), rng.uniform(-10, slices + 10), x)
        phase, apart = (REDEPOSITED if kind == "moss" else DENDRITE), max(NEAREST, p.left)
        side, apart = (NEITHER, NEAREST) if kind == "dead" else (side, apart)
        grown += ground.grow(balls, phase, side, rng.uniform(0, p.porous), apart, most=1.15 * aim - grown)


def _structure(
    ground: Ground, p: HardParameters, rng: np.random.Generator, kind: str, z: float, x: float
) -> tuple[Balls, int]:
    """An agglomerate, a dendrite, or one whose lowest part is gone, in place at (z, x)."""
    upside, y, _ = ground.foot(rng, z, x)
    if kind == "moss":
        shape = agglomerate(rng, p.zoom * rng.uniform(3, 8), p.zoom * rng.uniform(6, 45))
    else:
        shape = dendrite(rng, _radius(rng, p.zoom), p.zoom * rng.uniform(8, 70), FINE)
    if kind == "dead":
        shape = _rootless(shape, p.zoom * rng.uniform(6, 25))
    return shape * [1, 1 if upside else -1, 1, 1] + [z, y, x, 0], UPPER if upside else LOWER


def _across(ground: Ground, p: HardParameters, rng: np.random.Generator, z: float, x: float) -> tuple[Balls, int]:
    """A dendrite from one electrode to `left` voxels before the other, drawn out or pressed to that height."""
    upside, y, height = ground.foot(rng, z, x)
    shape = dendrite(rng, p.zoom * rng.uniform(2.2, 4.5), 1.1 * height, ACROSS)
    tip = shape[:, 1] + shape[:, 3]
    shape[:, 1] *= np.where(shape[:, 1] > 0, (height - p.left) / tip.max(), 1.0)
    end = shape[tip.argmax()].copy()
    room = z if end[0] < 0 else len(ground.phases) - 1 - z  # slices between the foot and the end of the stack
    shape[:, 0] *= min(1.0, max(0.0, room) / max(1e-6, abs(end[0])))
    shape[:, 2] *= min(1.0, ASIDE / max(1e-6, abs(end[2])))
    return shape * [1, 1 if upside else -1, 1, 1] + [z, y, x, 0], UPPER if upside else LOWER


def _radius(rng: np.random.Generator, zoom: float) -> float:
    """Of a stem: many thin ones, few thick."""
    return max(FINE.thinnest, zoom * (1.2 + rng.gamma(2.0, 1.0)))


def _rootless(shape: Balls, height: float) -> Balls:
    """Without all that lies below a height, of which the tip at least is left."""
    return shape[shape[:, 1] - shape[:, 3] > min(height, float((shape[:, 1] - shape[:, 3]).max()) - 1e-6)]

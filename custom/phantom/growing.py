"""A cell scanned several times while lithium grows in it: pieces that grow, merge, split, are born and dissolve.

The scene is known at every place, so that each scan is drawn from it where it was put, never from another scan, and what
is true of it is as exact as one likes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.spatial.transform import Rotation

Shape = tuple[int, int, int]
Put = Callable[[np.ndarray], np.ndarray]

_PAD = 24  # voxels by which the texture goes on beyond the first scan
_ELECTRODE, _SEPARATOR, _LITHIUM = 8000.0, 12000.0, 7000.0
_SWAY = 1.2  # voxels by which a trunk winds
_TEXTURE = 700.0  # standard deviation of the grey values' texture


@dataclass(frozen=True)
class Balls:
    """The lithium of all scans: balls, whose pieces are those that overlap.

    Attributes:
        centres: (n, 3), voxels of the first scan.
        radii: (scans, n); 0 where a ball is not there.
    """

    centres: np.ndarray
    radii: np.ndarray


class GrowingCell:
    """The scene.

    Args:
        shape: (Z, Y, X) of each scan; y leads through the thickness.
        scans: how many there are.
        seed: of everything random.
        most: voxels and degrees by which a scan is moved at most, along and about each axis.
    """

    def __init__(
        self, shape: Shape = (96, 110, 140), scans: int = 5, seed: int = 0, most: tuple[float, float] = (5.0, 2.0)
    ) -> None:
        random = np.random.default_rng(seed)
        self.shape, self.scans, self._seed = shape, scans, seed
        self.electrodes = 0.16 * shape[1], 0.86 * shape[1]
        grid = tuple(length + 2 * _PAD for length in shape)
        self._texture = _smooth(random.normal(size=grid), 1.8)
        self._waves = [_smooth(random.normal(size=(grid[0], grid[2])), 7.0) * 1.2 for _ in range(2)]
        self.balls = _balls(shape, self.electrodes, scans, random)
        signs = random.uniform(-1, 1, (scans, 2, 3))
        signs[0] = 0
        self.turns = [Rotation.from_rotvec(np.deg2rad(most[1]) * one[0]).as_matrix() for one in signs]
        self.shifts = [most[0] * one[1] for one in signs]

    @property
    def centre(self) -> np.ndarray:
        """Of the first scan, in voxels, about which scans are turned."""
        return (np.array(self.shape) - 1) / 2

    def moved(self, scan: int, places: np.ndarray) -> np.ndarray:
        """Where places (..., 3) of the first scan lie in another one."""
        return np.asarray((places - self.centre) @ self.turns[scan].T + self.centre + self.shifts[scan])

    def unmoved(self, scan: int, places: np.ndarray) -> np.ndarray:
        """Where places (..., 3) of a scan lie in the first one."""
        return np.asarray((places - self.centre - self.shifts[scan]) @ self.turns[scan] + self.centre)

    def lithium(self, scan: int, places: np.ndarray, turned: bool = True) -> np.ndarray:
        """Whether there is lithium at places (Z, Y, X, 3) of the first scan, at the time of another one: bool.

        Args:
            turned: the places may be a grid that is turned by some degrees; else they lie along the axes.
        """
        found = np.zeros(places.shape[:-1], bool)
        for centre, radius in zip(self.balls.centres, self.balls.radii[scan], strict=True):
            if radius > 0:
                box = _near(places, centre, radius, 0.12 if turned else 0.0)
                found[box] |= ((places[box] - centre) ** 2).sum(axis=-1) < radius**2
        return found

    def mask(self, scan: int) -> np.ndarray:
        """uint8 (Z, Y, X), 1 where the middle of a voxel of a scan is lithium between the electrodes."""
        places = self.unmoved(scan, self._grid())
        return (self.lithium(scan, places) & ~self._electrode(places)).astype(np.uint8)

    def unmoved_mask(self, scan: int) -> np.ndarray:
        """bool (Z, Y, X), what `mask` would be had the scan not been moved."""
        return self.lithium(scan, self._grid(), False) & ~self._electrode(self._grid())

    def grey(self, scan: int, noise: float = 900.0, fine: int = 2) -> np.ndarray:
        """uint16 (Z, Y, X): means over `fine` places along each axis of a voxel, and noise."""
        steps = (np.arange(fine) + 0.5) / fine - 0.5
        total = np.zeros(self.shape)
        for aside in np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 3):
            places = self.unmoved(scan, self._grid() + aside)
            electrode = self._electrode(places)
            values = np.where(electrode, _ELECTRODE, _SEPARATOR)
            values = np.where(self.lithium(scan, places) & ~electrode, _LITHIUM, values)
            total += values + _TEXTURE * _at(self._texture, places + _PAD)
        random = np.random.default_rng((self._seed, scan))
        return np.asarray(np.clip(total / fine**3 + random.normal(0, noise, self.shape), 0, 65535).astype(np.uint16))

    def seen(self, scan: int, places: np.ndarray) -> np.ndarray:
        """Whether places of the first scan lie within another one: bool."""
        moved = self.moved(scan, places)
        return np.asarray(((moved >= -0.5) & (moved <= np.array(self.shape) - 0.5)).all(axis=-1))

    def volumes(self, scan: int, fine: int = 3) -> tuple[float, float]:
        """Lithium, in voxels, where the first, this and the next scan see it: in this one and in the next."""
        steps = (np.arange(fine) + 0.5) / fine - 0.5
        counts = np.zeros(2)
        for aside in np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 3):
            grid = self._grid() + aside
            for which, one in enumerate((scan, scan + 1)):
                places = grid[self.lithium(one, grid, False)]
                seen = self.seen(scan, places) & self.seen(scan + 1, places) & ~self._electrode(places)
                counts[which] += np.count_nonzero(seen)
        return float(counts[0] / fine**3), float(counts[1] / fine**3)

    def _grid(self) -> np.ndarray:
        return np.stack(np.meshgrid(*(np.arange(float(n)) for n in self.shape), indexing="ij"), axis=-1)

    def _electrode(self, places: np.ndarray) -> np.ndarray:
        return self.clear(places) < 0

    def clear(self, places: np.ndarray) -> np.ndarray:
        """How far places (..., 3) of the first scan lie from the nearer electrode along y, in voxels; negative within one."""
        y, across = places[..., 1], places[..., [0, 2]] + _PAD
        low, high = (height + _at(wave, across) for height, wave in zip(self.electrodes, self._waves, strict=True))
        return np.asarray(np.minimum(y - low, high - y))


def _near(places: np.ndarray, centre: np.ndarray, radius: float, turned: float) -> tuple[slice, slice, slice]:
    """A part of the grid that holds a ball; of a grid turned by 4 degrees, with .12 of the way from its middle as room."""
    shape = places.shape[:3]
    middle = places[tuple(n // 2 for n in shape)]
    at = centre - middle + np.array([n // 2 for n in shape])
    reach = radius + 2 + turned * float(np.abs(centre - middle).max())
    low = np.maximum(np.floor(at - reach), 0).astype(int)
    high = np.maximum(np.ceil(at + reach) + 1, 0).astype(int)
    return slice(low[0], high[0]), slice(low[1], high[1]), slice(low[2], high[2])


def _smooth(values: np.ndarray, sigma: float) -> np.ndarray:
    found = ndimage.gaussian_filter(values, sigma, mode="wrap")
    return np.asarray(found / found.std())


def _at(field: np.ndarray, places: np.ndarray) -> np.ndarray:
    return np.asarray(ndimage.map_coordinates(field, np.moveaxis(places, -1, 0), order=1, mode="nearest"))


def _balls(shape: Shape, electrodes: tuple[float, float], scans: int, random: np.random.Generator) -> Balls:
    """Trunks of balls on a grid over the electrode, one kind of life after the other, far enough apart to be told apart."""
    centres: list[np.ndarray] = []
    radii: list[np.ndarray] = []
    low, high = electrodes
    pitch = 17.0
    lives = [_growing, _merging, _born, _dissolving, _splitting, _growing]
    number = 0
    from_z, from_x = random.uniform(13, 22, 2)
    for z in np.arange(from_z, shape[0] - 13, pitch):
        for x in np.arange(from_x, shape[2] - 13, pitch):
            at = np.array([z, 0.0, x]) + random.uniform(-1.5, 1.5, 3)
            # no two pieces lie alike to the voxels, whose rounding would add up
            aside, scale = [0, random.uniform(-0.5, 0.5), 0], random.uniform(0.92, 1.08)
            for place, size in lives[number % len(lives)](at, low, high, scans, random):
                centres.append(place + aside)
                radii.append(size * scale)
            number += 1
    return Balls(np.array(centres), np.array(radii).T)


Life = list[tuple[np.ndarray, np.ndarray]]


def _trunk(at: np.ndarray, start: float, lengths: np.ndarray, radius: float, random: np.random.Generator) -> Life:
    """Balls one above the other, as many in each scan as its length has room for."""
    step = 0.7 * radius
    drift = random.uniform(-0.15, 0.15, 3) * [1, 0, 1]
    phases = random.uniform(0, 2 * np.pi, 2)
    found: Life = []
    for n in range(int(lengths.max() / step) + 1):
        # upright along the voxels, a trunk of 5 voxels' radius would be a hundredth too thick or thin from end to end
        sway = _SWAY * np.sin(phases + 0.7 * n)
        place = at * [1, 0, 1] + [sway[0], start + n * step, sway[1]] + n * drift
        grown = np.clip((lengths - n * step) / step, 0, 1) * radius
        found.append((place, np.where(grown > 0.6, grown, 0.0)))
    return found


def _growing(at: np.ndarray, low: float, high: float, scans: int, random: np.random.Generator) -> Life:
    top = random.uniform(0.35, 0.75) * (high - low)
    return _trunk(at, low, np.linspace(0.25, 1, scans) * top, random.uniform(3.5, 5), random)


def _merging(at: np.ndarray, low: float, high: float, scans: int, random: np.random.Generator) -> Life:
    """A trunk and a ball above it that grow towards each other."""
    trunk = _trunk(at, low, np.linspace(0.2, 0.6, scans) * (high - low), 3.6, random)
    above = np.array([at[0], low + 0.62 * (high - low), at[2]])
    return [*trunk, (above, np.linspace(3.0, 6.0, scans))]


def _born(at: np.ndarray, low: float, high: float, scans: int, random: np.random.Generator) -> Life:
    when = random.integers(1, scans) if scans > 1 else 0
    size = np.where(np.arange(scans) >= when, 2.8 + 0.8 * (np.arange(scans) - when), 0.0)
    return [(np.array([at[0], low + random.uniform(0.3, 0.7) * (high - low), at[2]]), size)]


def _dissolving(at: np.ndarray, low: float, high: float, scans: int, random: np.random.Generator) -> Life:
    gone = random.integers(1, scans + 1)
    size = np.where(np.arange(scans) < gone, 5.5 - 0.7 * np.arange(scans), 0.0)
    return [(np.array([at[0], low + random.uniform(0.3, 0.7) * (high - low), at[2]]), np.maximum(size, 0))]


def _splitting(at: np.ndarray, low: float, high: float, scans: int, random: np.random.Generator) -> Life:
    """Two balls and a bridge between them that dissolves."""
    middle, when = low + random.uniform(0.4, 0.6) * (high - low), scans // 2
    bridge = np.where(np.arange(scans) < when, 2.6, 0.0)
    sizes = 4.0 + 0.25 * np.arange(scans)
    ends = [(np.array([at[0], middle + side, at[2]]), sizes + 0.3 * (side > 0)) for side in (-6.5, 6.5)]
    return [*ends, (np.array([at[0], middle, at[2]]), bridge), (np.array([at[0], middle - 2, at[2]]), bridge)]

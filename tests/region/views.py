"""Fields of view of a made-up scan, sampled by scipy at known places, for tests of what finds these again."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from custom.stack import Stack

SIDES = (72, 88)


class Held(Stack):
    """A stack in memory."""

    def __init__(self, name: str, values: np.ndarray) -> None:
        super().__init__(name, values.shape, values.dtype, None)
        self.values, self.reads = values, []

    def _read(self, start: int, stop: int) -> np.ndarray:
        self.reads += range(start, stop)
        return self.values[start:stop].copy()


def world(depth: int, seed: int = 0) -> np.ndarray:
    """(depth, 72, 88): a flat layer, and in it a grain of about four voxels."""
    grain = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=(depth, *SIDES)), 2.0)
    grey = np.zeros((depth, *SIDES))
    grey[:, 20:50] = 2 + grain[:, 20:50] / grain.std()
    return ndimage.gaussian_filter(grey, (0, 0.7, 0.7))


def seen(world: np.ndarray, shift: tuple[float, float, float], rotation_deg: float, depth: int) -> np.ndarray:
    """The field of view that lies there: its voxel f shows the world at c + R(rotation) (f - c) + shift within the slice."""
    angle = np.deg2rad(rotation_deg)
    z, y, x = np.mgrid[:depth, : SIDES[0], : SIDES[1]].astype(float)
    y, x = y - (SIDES[0] - 1) / 2, x - (SIDES[1] - 1) / 2
    places = [
        z + shift[0],
        np.cos(angle) * y - np.sin(angle) * x + (SIDES[0] - 1) / 2 + shift[1],
        np.sin(angle) * y + np.cos(angle) * x + (SIDES[1] - 1) / 2 + shift[2],
    ]
    return ndimage.map_coordinates(world, places, order=3, mode="nearest")


def as_uint16(grey: np.ndarray, scale: float = 1.0, offset: float = 0.0, seed: int = 0) -> np.ndarray:
    """With noise, in another grey scale."""
    noisy = grey + np.random.default_rng(seed).normal(0, 0.2, grey.shape)
    return np.clip(5000 * (scale * noisy + offset) + 20000, 0, 65535).round().astype(np.uint16)

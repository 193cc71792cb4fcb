"""Surface area of pieces from how often lines in many directions leave them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import product
from math import gcd

import numpy as np
from scipy.spatial import SphericalVoronoi

REACH = 2  # voxels that the longest direction goes along an axis
_LONGEST = 6  # squared, in voxels: 74 directions, (2, 1, 1) the last of them


@lru_cache(maxsize=4)
def directions(voxel_size: tuple[float, float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Steps (74, 3) int along z, y and x, and the area in square units of length that one exit along each stands for.

    By Cauchy and Crofton a surface is 4 times its mean projection over all directions, each line counted as often as it
    leaves the body. Lines of one direction through all voxels lie one voxel's volume / step's length apart; directions count
    by the share of the sphere that is nearest to them (G. Lehmann and D. Legland, Insight Journal 2012, with 26 directions).
    With 74 a plane of any tilt in cubic voxels is off by 2 % at most, by 5 % with 26; a ball with a radius of 5 voxels by
    2.5 %, with one of 12 by .7 %.

    Args:
        voxel_size: (z, y, x), each above 0.
    """
    steps = np.array([step for step in product(range(-REACH, REACH + 1), repeat=3) if _primitive(step)])
    lengths = np.linalg.norm(steps * np.array(voxel_size), axis=1)
    share = SphericalVoronoi(steps * np.array(voxel_size) / lengths[:, None]).calculate_areas() / (4 * np.pi)
    return steps, 4 * share * np.prod(voxel_size) / lengths


def _primitive(step: Sequence[int]) -> bool:
    return gcd(*step) == 1 and sum(along * along for along in step) <= _LONGEST


def surface_areas(
    found: np.ndarray, at: np.ndarray, labels: np.ndarray, pieces: int, voxel_size: tuple[float, float, float]
) -> np.ndarray:
    """Surface area of each piece, as far as it belongs to some voxels: float64 (pieces,).

    What lies at the side of the stack is no surface: beyond it `found` is to go on as it ends.

    Args:
        found: bool (Z, Y, X), the mask with at least `REACH` voxels around those at `at`.
        at: flat places of the voxels that count, in `found`.
        labels: of which piece they are, 0, 1, ...
        pieces: how many there are.
        voxel_size: (z, y, x).
    """
    strides = np.array([found.shape[1] * found.shape[2], found.shape[2], 1])
    flat, areas = found.reshape(-1), np.zeros(pieces)
    for step, area in zip(*directions(voxel_size), strict=True):
        leaving = ~flat[at + int(step @ strides)]
        areas += area * np.bincount(labels[leaving], minlength=pieces)
    return areas

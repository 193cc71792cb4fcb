"""The last step of a registration: least squares over blocks of full resolution, by Gauss and Newton.

ITK's own last step stays off by some hundredths of a voxel in noise; see `custom.region.refining`. What changed between the
scans says nothing of the move, and would draw it along where lithium grows one way: of grey values such voxels are left
out, of masks, where they are all that differs, large differences count little.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy import ndimage

from custom.measuring.reading import Cell
from custom.series.move import Move
from custom.series.view import values_of

_SIDE = 40  # voxels of a block
_BLOCKS = 48  # at most; of a volume of a few million voxels they are all of it
_MARGIN = 8  # voxels around a block of the moving scan: what smoothing, and being wrong by a few voxels, need
_ROUNDS = 8
_DONE = 2e-3  # voxels
_GROWN = 0.25  # of the step between 0 and 1, from which on a difference counts little


@dataclass(frozen=True)
class _Block:
    """Voxels of the first scan, and a box of the other that holds where they lie.

    Attributes:
        places: (n, 3) of chosen voxels, in voxels of the first scan.
        values: (n,), smoothed.
        moving: (Z, Y, X), the box, smoothed.
        lithium: (n,) bool, of the first scan.
        moving_lithium: bool, of the box.
        low: (3,) first voxel of the box.
    """

    places: np.ndarray
    values: np.ndarray
    moving: np.ndarray
    lithium: np.ndarray
    moving_lithium: np.ndarray
    low: np.ndarray


def refined(
    fixed: Cell, moving: Cell, start: Move, without_changes: bool, sigma: float = 1.0, blocks: int = _BLOCKS
) -> Move:
    """The move, scale and offset for which the squares of the differences sum up to least.

    Args:
        start: right to a voxel or two, or to `sigma`.
        without_changes: leave out what is lithium in one of the scans alone, and two voxels around it; for grey values.
        sigma: standard deviation of the smoothing, in voxels.
        blocks: that are looked at, at most, spread over the scan.
    """
    size = np.array(fixed.voxel_size)
    lows = _lows(fixed.mask.shape, blocks)
    found = [one for low in lows if (one := _block(fixed, moving, start, low, sigma)) is not None]
    move = start
    for _ in range(_ROUNDS if found else 0):
        step, longest = _step(found, move, size, without_changes)
        move = (
            Move.of(step, move.centre).after(move)
            if np.isfinite(step).all() and longest < max(_MARGIN, sigma)
            else move
        )
        if longest < _DONE:
            break
    return move


def _lows(shape: tuple[int, int, int], blocks: int) -> list[tuple[int, int, int]]:
    """First voxels of blocks that fill the scan, or lie spread over it evenly."""
    counts = [-(-length // _SIDE) for length in shape]
    while np.prod(counts) > blocks:
        counts[int(np.argmax(counts))] -= 1
    along = [
        np.linspace(0, max(length - _SIDE, 0), count).round().astype(int)
        for length, count in zip(shape, counts, strict=True)
    ]
    return [(int(z), int(y), int(x)) for z, y, x in product(*along)]


def _block(fixed: Cell, moving: Cell, start: Move, low: tuple[int, int, int], sigma: float) -> _Block | None:
    margin = _MARGIN + round(2 * (sigma - 1))
    size = np.array(fixed.voxel_size)
    high = np.minimum(np.array(low) + _SIDE, fixed.mask.shape)
    ends = np.array(list(product(*zip(low, high - 1, strict=True))))
    moved = start(ends * size) / size
    first = np.maximum(np.floor(moved.min(axis=0)) - margin, 0).astype(int)
    last = np.minimum(np.ceil(moved.max(axis=0)) + margin + 1, moving.mask.shape).astype(int)
    if (last - first < 2 * _MARGIN).any():
        return None
    values, lithium = _read(fixed, np.array(low), high, sigma)
    theirs, their_lithium = _read(moving, first, last, sigma)
    random = np.random.default_rng(low)
    chosen = random.permutation(values.size)[: max(values.size // 3, 1)]
    places = np.stack(np.unravel_index(np.sort(chosen), values.shape), axis=1)
    at = tuple(places.T)
    return _Block(places + np.array(low), values[at], theirs, lithium[at], their_lithium, first)


def _read(cell: Cell, low: np.ndarray, high: np.ndarray, sigma: float) -> tuple[np.ndarray, np.ndarray]:
    y, x = slice(low[1], high[1]), slice(low[2], high[2])
    values = values_of(cell, int(low[0]), int(high[0]), y, x)
    lithium = np.isin(cell.mask.read(int(low[0]), int(high[0]))[:, y, x], cell.lithium)
    return ndimage.gaussian_filter(values, sigma, mode="nearest"), lithium


def _step(blocks: list[_Block], move: Move, size: np.ndarray, without_changes: bool) -> tuple[np.ndarray, float]:
    """The next step (6,), a move of what has been moved, and the longest way that it makes a corner go, in voxels."""
    normal, right, reach = np.zeros((8, 8)), np.zeros(8), 1.0
    for block in blocks:
        rows, differences, longest = _equations(block, move, size, without_changes)
        weighed = rows if without_changes else rows * _weights(rows, differences)[:, None]
        normal += weighed.T @ rows
        right += weighed.T @ differences
        reach = max(reach, longest)
    scale = np.sqrt(np.diag(normal)) + 1e-30
    scaled = normal / np.outer(scale, scale)
    if np.linalg.matrix_rank(scaled[:6, :6], 1e-6) < 6:  # nothing that tells where it lies
        return np.full(6, np.nan), 0.0
    step = (np.linalg.solve(scaled + 1e-12 * np.eye(8), right / scale) / scale)[:6]
    return step, float(np.linalg.norm(step[3:] / size) + np.linalg.norm(step[:3]) * reach / size.min())


def _equations(
    block: _Block, move: Move, size: np.ndarray, without_changes: bool
) -> tuple[np.ndarray, np.ndarray, float]:
    """Rows (n, 8) of the derivatives by rotations, shifts, scale and offset, and the differences (n,)."""
    moved = move(block.places * size)
    at = (moved / size - block.low).T
    inside = ((at >= 2) & (at <= np.array(block.moving.shape)[:, None] - 3)).all(axis=0)
    if without_changes:
        theirs = ndimage.map_coordinates(block.moving_lithium.astype(np.uint8), at, order=0, mode="nearest") > 0
        inside &= ~_near_changes(block, theirs)
    moved, at, values = moved[inside], at[:, inside], block.values[inside].astype(float)
    here = ndimage.map_coordinates(block.moving, at, order=1).astype(float)
    slope = np.stack([_derivative(block.moving, at, axis) / size[axis] for axis in range(3)], axis=1)
    arm = moved - move.centre
    rows = np.concatenate([np.cross(arm, slope), slope, -values[:, None], -np.ones((len(values), 1))], axis=1)
    return rows, -here, float(np.abs(arm).max(initial=0))


def _weights(rows: np.ndarray, differences: np.ndarray) -> np.ndarray:
    """Of masks, (n,): edges a fraction of a voxel apart differ by little, and what has grown by the whole step from 0 to 1."""
    return np.asarray(1 / (1 + ((differences - rows[:, 6]) / _GROWN) ** 2) ** 2)


def _derivative(values: np.ndarray, at: np.ndarray, axis: int) -> np.ndarray:
    aside = np.zeros((3, 1))
    aside[axis] = 0.5
    one, other = (ndimage.map_coordinates(values, at + side * aside, order=1) for side in (1, -1))
    return np.asarray(one.astype(float) - other)


def _near_changes(block: _Block, theirs: np.ndarray) -> np.ndarray:
    """Which of the block's voxels lie within two of what is lithium in one scan alone."""
    low = block.places.min(axis=0)
    field = np.zeros(block.places.max(axis=0) - low + 1, bool)
    at = tuple((block.places - low).T)
    field[at] = block.lithium != theirs
    return np.asarray(ndimage.binary_dilation(field, np.ones((3, 3, 3)), 2)[at])
